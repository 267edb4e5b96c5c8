#!/bin/sh
# Install what the tests' real services are made with: Java and Maven for Apache Kafka and the
# MongoDB stand-in, Go for FerretDB, npm for axe-core, openssl for certificates. As root on Debian
# only; what is there already is left alone. The tests themselves say what is still missing.
set -eu

lacking=
need() { # program, package of Debian
    command -v "$1" >/dev/null 2>&1 || lacking="$lacking $2"
}
need javac default-jdk-headless
need mvn maven
need go golang-go
need npm npm
need openssl openssl
need unshare util-linux
[ -n "$lacking" ] || exit 0

if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ]; then
    echo "installing$lacking"
    apt-get update -qq
    # shellcheck disable=SC2086  # several words are several packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking >/dev/null
else
    echo "missing:$lacking (names of Debian's packages)"
fi
