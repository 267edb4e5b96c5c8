#!/bin/sh
# Make sure that there is a browser with its driver; say in one line what is missing and what that skips.
set -eu

found() { command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }

if found && command -v chromedriver >/dev/null 2>&1; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing chromium and chromium-driver"
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver >/dev/null; then
        exit 0
    fi
fi
echo "no browser: install chromium and chromium-driver (Debian: apt install chromium chromium-driver); without them Google Images and its tests are left out"
