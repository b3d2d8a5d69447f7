#!/bin/bash
# Compiles everything in src/ but the tests and the media module with clang and LLVM's C++ library, warnings as errors.
# It does not link: Debian's libraries are built for the other library. This is what a Mac's compiler would refuse.
cd "$(dirname "$0")/.."
. scripts/strict.sh
cmake --preset libcxx >build/libcxx.log 2>&1 || { cat build/libcxx.log; exit 1; }
ninja -C build/libcxx -k 0 libraries
echo "$(find build/libcxx/CMakeFiles -name '*.cpp.o' | wc -l) files compile with clang++-14 and libc++"
