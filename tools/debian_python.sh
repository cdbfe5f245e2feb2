#!/bin/sh
# tools/debian_python.sh VERSION SUITE FOLDER: unpack Debian's Python of another release into FOLDER,
# for nobody but who calls FOLDER/usr/bin/pythonVERSION. Nothing is installed; nobody need be root.
set -eu
version=$1 suite=$2
mkdir -p "$3/apt/lists/partial" "$3/apt/archives/partial"
cd "$3"
here=$(pwd)
python=$here/usr/bin/python$version
# The machine's own mirror and keys, but lists and a state of its own: as if nothing were installed.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >apt/sources
: >apt/status
cat >apt/conf <<END
Dir::Etc::SourceList "$here/apt/sources";
Dir::Etc::SourceParts "-";
Dir::State "$here/apt";
Dir::State::Status "$here/apt/status";
Dir::Cache "$here/apt";
Acquire::Languages "none";
APT::Install-Recommends "false";
APT::Sandbox::User "";
END
(cd apt && apt-get --quiet=2 download patchelf)
export APT_CONFIG="$here/apt/conf"
apt-get --quiet update
# libstdc++6 is for wheels.
apt-get --quiet --yes --download-only install "python$version-venv" libstdc++6
for package in apt/*.deb apt/archives/*.deb; do dpkg-deb --extract "$package" .; done
# The C library is the other release's as well.
libraries=$(dirname "$here"/usr/lib/*/libc.so.6)
usr/bin/patchelf --set-interpreter "$(echo "$libraries"/ld-linux-*.so.*)" \
  --force-rpath --set-rpath "$libraries" "$python"
# Where `venv` finds pip.
sed -i "s|'/usr/share/python-wheels|'$here/usr/share/python-wheels|" "usr/lib/python$version"/_sysconfigdata_*.py
rm -rf apt
"$python" -c 'import ctypes, ensurepip, sqlite3, ssl'
