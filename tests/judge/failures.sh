#!/bin/bash
# Bad input, bad places to write to, and interruptions: the right exit code, one clear message, nothing left behind.
. "$(dirname "$0")/common.sh"
cd "$scratch"

"$anemone" synth star -o star.pkl >synth.log || fail 'synth star'
# refuse CODE NAME COMMAND...: exit code, exactly one error with a place or help, and no target.
refuse() {
  local code=$1 name=$2 got=0
  shift 2
  "$@" >out.txt 2>err.txt || got=$?
  if ((got != code)); then
    fail "$name: exit $got instead of $code: $*"
    sed 's/^/     /' err.txt | head -n 8
  elif (($(grep -c '^error' err.txt || true) != 1)) || ! grep -qE -- '-->|= help' err.txt; then
    fail "$name: the message is not one clear error"
    sed 's/^/     /' err.txt | head -n 8
  elif [[ -e out.mlpackage || -n $(find . -maxdepth 1 -name '.*anemone*') ]]; then
    fail "$name: something is left behind"
    rm -rf out.mlpackage .*anemone*
  else
    pass
  fi
}

: >empty.pkl
mkdir folder
echo 'this is a letter, not a model' >letter.txt
head -c 30000000 star.pkl >cut.pkl
head -c 100 /dev/urandom >noise.bin
printf 'x' >file
for verb in convert run verify bench print; do
  case $verb in
    convert) words=(-o out.mlpackage) ;;
    run) words=(-o out) ;;
    verify) words=(--against star.pkl) ;;
    *) words=() ;;
  esac
  refuse 3 "$verb: an empty file" "$anemone" $verb empty.pkl "${words[@]}"
  refuse 3 "$verb: a folder that is no package" "$anemone" $verb folder "${words[@]}"
  refuse 3 "$verb: a text file" "$anemone" $verb letter.txt "${words[@]}"
  refuse 3 "$verb: a truncated checkpoint" "$anemone" $verb cut.pkl "${words[@]}"
  refuse 3 "$verb: noise" "$anemone" $verb noise.bin "${words[@]}"
  refuse 3 "$verb: a missing file" "$anemone" $verb nowhere.pkl "${words[@]}"
done
refuse 4 'the target lies below a file' "$anemone" convert star.pkl -o file/out.mlpackage
refuse 2 'a wrong option' "$anemone" convert star.pkl -o out.mlpackage --precison fp32
refuse 2 'an ending that is no format' "$anemone" convert star.pkl -o out.zip
refuse 2 'a target that does not exist' "$anemone" convert star.pkl -o out.mlpackage --target ios12
refuse 2 'a size that the network cannot take' "$anemone" convert star.pkl -o out.mlpackage --shapes 100x100
refuse 2 'a function a size where packages hold one' "$anemone" convert star.pkl -o out.mlpackage --shapes 256x256,128x128 --shape-functions
refuse 2 'an output that does not exist' "$anemone" convert star.pkl -o out.mlpackage --outputs landmark
refuse 2 'nothing of the name that shall stay fp32' "$anemone" convert star.pkl -o out.mlpackage --keep-fp32 instance_nrm
"$anemone" convert star.pkl -o functions.mlpackage --shapes 256x256,128x128 --target ios18 --shape-functions -q >/dev/null
refuse 2 'a pipeline where a pass is asked for' "$anemone" convert star.pkl -o out.mlpackage --skip-pass default
refuse 2 'several functions for a system that has one' "$anemone" convert functions.mlpackage -o out.mlpackage --target ios17
refuse 2 'several functions in ONNX' "$anemone" convert functions.mlpackage -o out.onnx
refuse 2 'nothing and something' "$anemone" convert star.pkl -o out.mlpackage --passes none,default
refuse 2 'what stays fp32 where nothing becomes fp16' "$anemone" convert star.pkl -o out.mlpackage --precision fp32 --keep-fp32 conv
refuse 2 'a part of a checkpoint' "$anemone" convert star.pkl -o out.mlpackage --part 3
refuse 2 'a pass that does not exist' "$anemone" convert star.pkl -o out.mlpackage --passes fuse_all
refuse 2 'a verb that does not exist' "$anemone" covnert star.pkl

refuse 3 'another network' "$anemone" convert "$data/pickle/01_zip_state_dict.pt" -o out.mlpackage
refuse 3 'a missing key' "$anemone" convert "$data/pickle/04_zip_star_train_state.pkl" -o out.mlpackage
refuse 3 'an ONNX file that is cut off' "$anemone" convert "$data/public-cases/43-onnx-cut-short/model.onnx" -o out.mlpackage

# The command that convert prints is one that works: of sizes and batches that the file leaves open, too.
"$anemone" convert star.pkl -o sized.mlpackage --shapes 128x128 2>next.txt >/dev/null
grep -q -- '--shapes 128x128$' next.txt || fail 'the next command has no size'
check 'the next command' bash -c "PATH=$(dirname "$anemone"):\$PATH; $(sed -n 's/^next: //p' next.txt)"
"$anemone" convert star.pkl -o kept.mlpackage -q >/dev/null || fail 'convert'
cp -r kept.mlpackage bare.mlpackage
rm bare.mlpackage/Data/com.apple.CoreML/model.mlmodel
refuse 3 'a package without spec' "$anemone" print bare.mlpackage
cp -r kept.mlpackage light.mlpackage
rm light.mlpackage/Data/com.apple.CoreML/weights/weight.bin
refuse 3 'run without the weight file' "$anemone" run light.mlpackage -o out
if grep -q weight.bin err.txt; then pass; else fail 'the missing weight file is not named'; fi
refuse 3 'convert without the weight file' "$anemone" convert light.mlpackage -o out.mlpackage
refuse 3 'verify without the weight file' "$anemone" verify light.mlpackage --against light.mlpackage
check 'print without the weight file' "$anemone" print light.mlpackage

if [[ -n $shared ]]; then
  zoo=$shared/zoo/coreml
  for model in "$zoo"/silero*.mlpackage "$zoo/drawmnist.mlpackage" "$zoo/silero_unified.mlmodelc"; do
    check "print $(basename "$model")" "$anemone" print "$model"
  done
else
  skip 5 'packages that others made: they are not there'
fi

# Full disk: a small tmpfs where mounting works, else a file size limit.
mkdir tiny
if mount -t tmpfs -o size=8m tmpfs tiny 2>mount.log; then
  refuse 4 'a full disk' "$anemone" convert star.pkl -o tiny/out.mlpackage
  [[ -z $(ls -A tiny) ]] && pass || fail "a full disk: left behind: $(ls -A tiny)"
  umount tiny
else
  refuse 4 'a file size limit' bash -c "trap '' XFSZ; ulimit -f 4000; exec '$anemone' convert star.pkl -o limited.mlpackage"
  [[ -e limited.mlpackage ]] && fail 'a file size limit: left behind' || pass
fi

# Too little memory: the environment's fault, and with --json the one object all the same.
for words in 'convert star.pkl -o big.mlpackage' 'optimize kept.mlpackage -o big.mil' 'analyze star.pkl --scan-weights' \
  'verify kept.mlpackage --against kept.mlpackage' 'bench kept.mlpackage --runs 1'; do
  got=0
  (ulimit -v 60000; exec "$anemone" $words --json) >out.txt 2>err.txt || got=$?
  if ((got == 4)) && "$python" -c 'import json, sys; assert json.load(sys.stdin)["exit_code"] == 4' <out.txt; then
    pass
  else
    fail "too little memory: $words: exit $got, $(head -c 200 out.txt)"
  fi
done

# kill -9 at many moments: the old package, or the new one, and never a damaged one.
cp -r kept.mlpackage good.mlpackage
damaged=0
for delay in 0.005 0.01 0.02 0.03 0.04 0.05 0.06 0.08 0.1 0.12 0.15 0.2 0.25 0.3; do
  "$anemone" convert star.pkl -o kept.mlpackage -q >/dev/null 2>&1 &
  sleep $delay
  kill -9 $! 2>/dev/null || true  # it may have ended
  wait $! 2>/dev/null || true
  diff -rq kept.mlpackage good.mlpackage >/dev/null || damaged=$((damaged + 1))
done
((damaged == 0)) && pass || fail "kill -9 left $damaged damaged packages"
"$anemone" convert star.pkl -o kept.mlpackage -q >/dev/null || fail 'convert after interruptions'
[[ -z $(find . -maxdepth 1 -name '.*anemone*') ]] && pass || fail "stale temporaries stay: $(find . -maxdepth 1 -name '.*anemone*')"
finish
