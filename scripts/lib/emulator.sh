# The core's tests on other processors, with QEMU. Sourced after common.sh and targets.sh.
EMULATED=(aarch64 arm)
# What can differ between processors: sizes and alignment of numbers, arithmetic, what is written and what is said.
EMULATED_TESTS=(--lib --test portable --test protocol --test qr_corpus --test rating_exactness --test lifecycle --test damage)

emulate() ( # aarch64|arm
  local system compiler library
  case $1 in
    aarch64) system=aarch64-unknown-linux-gnu compiler=aarch64-linux-gnu library=libc6-dev-arm64-cross ;;
    arm) system=armv7-unknown-linux-gnueabihf compiler=arm-linux-gnueabihf library=libc6-dev-armhf-cross ;;
  esac
  have "$compiler-gcc" || apt_install "$library" || true
  need "$compiler-gcc" "gcc-$compiler" "Install GCC for $1 (Debian: apt-get install gcc-$compiler)."
  need "qemu-$1" qemu-user "Install QEMU (Debian: apt-get install qemu-user)."
  local name=${system//-/_}
  export "CC_$name=$compiler-gcc" "AR_$name=$compiler-ar" "CARGO_TARGET_${name^^}_LINKER=$compiler-gcc" \
    "CARGO_TARGET_${name^^}_RUNNER=qemu-$1 -L /usr/$compiler" CARGO_PROFILE_DEV_DEBUG=0
  phone_cargo "$system" test -p safescan-core --features test-hooks "${EMULATED_TESTS[@]}" -- --nocapture
)
