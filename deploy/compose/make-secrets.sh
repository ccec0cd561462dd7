#!/bin/sh
# Makes the passwords of docker-compose.yml, unless they are there.
set -eu
dir=$(dirname "$0")/secrets
# Others of this machine cannot enter the folder. The files in it are readable: services that are not root get them mounted.
mkdir -p "$dir"
chmod 0700 "$dir"
umask 022

keep() {
  if [ ! -s "$dir/$1" ]; then printf '%s\n' "$2" >"$dir/$1"; fi
}
random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

# Alertmanager logs in by this name: deploy/alertmanager/alertmanager.yml.
keep basic-auth-user admin
keep basic-auth-password "$(random)"
keep grafana-password "$(random)"
printf 'the passwords are in %s\n' "$dir"
