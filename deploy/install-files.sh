#!/bin/sh
# What `make install-service` puts in place beside the program, below DESTDIR where it is given: for
# packages and tests, which are no running system. Says what it does; a configuration that is there
# stays as it is, and so does the archive.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=${DESTDIR:-}
state=/var/lib/ingestor

echo "2. The user ingestor, and the group whose members read the archive"
install -D -m 0644 "$here/sysusers.d/ingestor.conf" "$root/etc/sysusers.d/ingestor.conf"
[ -n "$root" ] || systemd-sysusers ingestor.conf

echo "3. /etc/ingestor/config.toml, with the service's paths in it"
if [ -e "$root/etc/ingestor/config.toml" ]; then
  echo "   is there already, and is left alone"
else
  install -d -m 0755 "$root/etc/ingestor"
  sed -e "s|^url = \"sqlite:///archive.db\"|url = \"sqlite:///$state/archive.db\"|" \
    -e "s|^dir = \"archive\"|dir = \"$state/archive\"|" \
    -e "s|^raw_dir = \"warc\"|raw_dir = \"$state/warc\"|" \
    -e "s|^raw_spool = \"warc-spool\"|raw_spool = \"$state/warc-spool\"|" \
    -e "s|^images_dir = \"images\"|images_dir = \"$state/images\"|" \
    "$here/../config.example.toml" >"$root/etc/ingestor/config.toml"
  # A proxy's password may come to stand in it.
  chmod 0640 "$root/etc/ingestor/config.toml"
fi
[ -n "$root" ] || chgrp ingestor /etc/ingestor/config.toml

echo "4. $state, which its group may read"
install -d -m 0750 "$root$state"
[ -n "$root" ] || chown ingestor:ingestor "$state"

echo "5. The units, and the command ingest for everybody"
for unit in ingestor.service ingestor-browse.service ingestor-once.service ingestor-once.timer \
  ingestor-worker@.service; do
  install -D -m 0644 "$here/$unit" "$root/etc/systemd/system/$unit"
done
install -d -m 0755 "$root/usr/local/bin"
ln -sfn /opt/ingestor/bin/ingest "$root/usr/local/bin/ingest"
[ -n "$root" ] || systemctl daemon-reload

cat <<'END'
Nothing runs yet. Look through /etc/ingestor/config.toml, then:
  systemctl enable --now ingestor          # or ingestor-once.timer: a pass every five minutes
  systemctl enable --now ingestor-browse   # the archive at http://127.0.0.1:8001/
  usermod --append --groups ingestor NAME  # who may read the archive: ingest status, search, Hexo
  sudo -u ingestor ingest retry            # what writes to it is done as its user
END
