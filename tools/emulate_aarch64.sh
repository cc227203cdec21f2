#!/usr/bin/env bash
# Compare the engines on an emulated AArch64: 128-bit NEON vectors, ISB as the pause of threads.
#
#     tools/emulate_aarch64.sh [FOLDER]       default build/aarch64; about 1 GB and 10 minutes
#
# Needs a Debian or Ubuntu with apt-get and dpkg-deb (their lists up to date: "apt-get update"),
# Python with pip, and a network.  Root is not needed and nothing is installed: Debian's packages of
# the emulator and of an arm64 Python are unpacked into the folder, wheels for arm64 beside them.
# A second call downloads nothing.
#
# PACKAGES and PLATFORMS below may have to follow the release: the Python is the distribution's own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
checkout=$PWD
folder=${1:-build/aarch64}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
host_python=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}

for tool in apt-get dpkg-deb "$host_python"; do
  command -v "$tool" >/dev/null || { echo "$tool is needed; see the top of this script" >&2; exit 1; }
done

# Debian's own apt, told that everything is arm64, with lists of its own.
arm_apt() {
  mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial"
  : > "$folder/apt/status"
  "$1" -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State::lists="$folder/apt/lists" \
    -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt/cache" \
    -o APT::Sandbox::User=root "${@:2}"
}

if [ ! -e "$folder/.unpacked" ]; then
  echo "Unpacking the emulator and an arm64 Python into $folder"
  mkdir -p "$folder/debs" "$folder/host" "$folder/root"
  (cd "$folder/debs" && apt-get download qemu-user-static)
  dpkg-deb -x "$folder"/debs/qemu-user-static_*.deb "$folder/host"
  arm_apt apt-get -qq update
  version=$(arm_apt apt-cache depends python3 | grep -o 'python3\.[0-9]*$' | head -1)
  PACKAGES="$version $version-minimal lib$version-minimal lib$version-stdlib libc6 libgcc-s1
    libstdc++6 zlib1g libexpat1 libffi8 libbz2-1.0 liblzma5 libssl3 libuuid1 libsqlite3-0
    libncursesw6 libtinfo6 libreadline8 libdb5.3 libgomp1"
  for package in $PACKAGES; do  # some have other names in other releases; the run below tells
    (cd "$folder/debs" && arm_apt apt-get -qq download "$package") || echo "no package $package here"
  done
  for deb in "$folder"/debs/*_arm64.deb; do dpkg-deb -x "$deb" "$folder/root"; done
  echo "$version" > "$folder/.unpacked"
fi
version=$(cat "$folder/.unpacked")
emulated() {
  "$folder/host/usr/bin/qemu-aarch64-static" -L "$folder/root" "$folder/root/usr/bin/$version" "$@"
}

if [ ! -e "$folder/.wheels" ]; then
  echo "Installing wheels for arm64 of the locked versions"
  PLATFORMS=(manylinux2014_aarch64 manylinux_2_17_aarch64 manylinux_2_27_aarch64
    manylinux_2_28_aarch64)
  "$host_python" -m pip --disable-pip-version-check --no-input -q install --target "$folder/wheels" \
    --upgrade --only-binary :all: --implementation cp --python-version "${version#python}" \
    "${PLATFORMS[@]/#/--platform=}" --constraint requirements.lock numpy numba scipy
  touch "$folder/.wheels"
fi

echo "Comparing; compiling takes an emulator some minutes"
export PYTHONPATH="$checkout/src:$checkout:$folder/wheels" PYTHONNOUSERSITE=1 \
  PYTHONDONTWRITEBYTECODE=1 NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES= \
  NUMBA_CACHE_DIR="$folder/kernels"
emulated "$checkout/tools/compare_engines.py"
