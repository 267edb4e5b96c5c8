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

if [ "$(id -u)" != 0 ] || [ ! -e /etc/debian_version ]; then
    [ -z "$lacking" ] || echo "missing:$lacking (names of Debian's packages)"
    exit 0
fi
if [ -n "$lacking" ]; then
    echo "installing$lacking"
    apt-get update -qq
    # shellcheck disable=SC2086  # several words are several packages
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $lacking >/dev/null
fi

# Debian 12 has Go 1.19, and FerretDB wants 1.22. From 1.21 on, Go fetches a newer Go by itself, as
# a module; an older one is told to, and what that does at the first use is done here.
if ! go version | grep -Eq 'go1\.(2[1-9]|[3-9][0-9])'; then
    home=/usr/local/lib/go-1.22
    if [ ! -x "$home/bin/go" ]; then
        echo "installing Go 1.22 in $home"
        folder=$(mktemp -d)
        printf 'module fetch\n\ngo 1.19\n' >"$folder/go.mod"
        module="golang.org/toolchain@v0.0.1-go1.22.12.linux-$(go env GOARCH)"
        found=$(cd "$folder" && go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
        rm -rf "$folder" "$home"
        cp -r "$found" "$home"
        chmod -R u+w "$home"
        mv "$home/src/_go.mod" "$home/src/go.mod"
        chmod +x "$home"/bin/* "$home"/pkg/tool/*/*
    fi
    ln -sf "$home/bin/go" /usr/local/bin/go
fi
