// The program.
#include <cstdio>

int main() {
  std::puts("anemone 0.1.0");
  return 0;
}
