#!/bin/sh
# Makes the checkout runnable: a virtual environment with pinned packages, and the system libraries that Qt's xcb plugin loads.
# Called by the Makefile only when something it depends on is newer than the stamp it leaves, so a second start does nothing.
#   setup.sh run    what the window and the command line need
#   setup.sh bench  also the peers that benchmarks are measured beside
#   setup.sh test   also what the accessibility journey under Xvfb needs (optional: the journey is skipped without it)
set -eu
cd "$(dirname "$0")/.."
what=${1:-run}

say() { printf 'setup: %s\n' "$*"; }
stop() { printf '\nsetup: %s\n' "$1" >&2; shift; for line in "$@"; do printf '    %s\n' "$line" >&2; done; exit 1; }

# become PACKAGES...: install Debian packages as root or with password-less sudo; 1 when that is not possible here.
apt_install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" = 0 ]; then root=""; elif sudo -n true 2>/dev/null; then root="sudo -n"; else return 1; fi
    say "installing system packages: $*"
    log=$(mktemp)
    if { $root apt-get update -q && $root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"; } >"$log" 2>&1; then
        rm -f "$log"
    else
        tail -n 5 "$log" >&2; rm -f "$log"; return 1
    fi
}

find_python() {
    for candidate in "${GOSMITH_PYTHON:-}" python3 python3.13 python3.12 python3.11 python3.14; do
        [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$candidate"; return; fi
    done
}

# pip_install EXTRAS: pinned packages of the project with these extras, or a sentence on why not.
pip_install() {
    log=$(mktemp)
    if ! .venv/bin/python -m pip install --quiet --disable-pip-version-check -c packaging/constraints.txt -e ".[$1]" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        rm -f "$log"
        stop "Packages could not be installed; the lines above say why." "Mend that (network, disk space), then run the same command again."
    fi
    rm -f "$log"
}

make_environment() {
    python=$(find_python)
    [ -n "$python" ] || stop "Gosmith needs Python 3.11 or later and found none on PATH." "Install it, for example:  sudo apt-get install python3 python3-venv" "or name one:              GOSMITH_PYTHON=/path/to/python3.12 make run"
    if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        rm -rf .venv
        say "creating .venv with $("$python" --version)"
        if ! "$python" -m venv .venv >/dev/null 2>&1; then
            apt_install python3-venv || stop "This Python cannot make virtual environments." "sudo apt-get install python3-venv"
            "$python" -m venv .venv
        fi
    fi
    say "installing pinned packages into .venv (a minute or two the first time)"
    pip_install dev
}

# The plugin names its own needs: whatever ldd cannot find is missing, on any distribution.
missing_qt_libraries() {
    plugin=$(.venv/bin/python -c 'import PySide6, pathlib; print(pathlib.Path(PySide6.__file__).parent / "Qt/plugins/platforms/libqxcb.so")')
    libraries=$(dirname "$plugin")/../../lib
    ldd "$plugin" "$libraries"/libQt6Gui.so.6 "$libraries"/libQt6Widgets.so.6 2>/dev/null | awk '/not found/ {print $1}' | sort -u
}

install_qt_libraries() {
    command -v ldd >/dev/null 2>&1 || return 0
    [ -n "$(missing_qt_libraries)" ] || return 0
    packages="libegl1 libgl1 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon0 libxkbcommon-x11-0 libxcb1 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-render0 libxcb-shape0 libxcb-shm0 libxcb-sync1 libxcb-util1 libxcb-xfixes0 libxcb-xinerama0 libxcb-xkb1 libx11-xcb1"
    # shellcheck disable=SC2086
    apt_install $packages || stop "Qt lacks system libraries: $(missing_qt_libraries | tr '\n' ' ')" "On Debian or Ubuntu this one command brings them:" "sudo apt-get install -y $packages"
    left=$(missing_qt_libraries)
    [ -z "$left" ] || stop "Qt still lacks: $left" "Install the packages of your distribution that hold these files, then run the same command again."
}

if [ "$what" = bench ]; then
    pip_install dev,peers
    touch .venv/.ready-bench
elif [ "$what" = test ]; then
    needed=""
    for pair in Xvfb:xvfb openbox:openbox dbus-run-session:dbus xdotool:xdotool; do
        command -v "${pair%%:*}" >/dev/null 2>&1 || needed="$needed ${pair#*:}"
    done
    [ -x /usr/libexec/at-spi-bus-launcher ] || needed="$needed at-spi2-core"
    /usr/bin/python3 -c 'import gi; gi.require_version("Atspi", "2.0")' 2>/dev/null || needed="$needed python3-gi gir1.2-atspi-2.0"
    # shellcheck disable=SC2086
    [ -z "$needed" ] || apt_install $needed || say "the accessibility journey will be skipped; it needs:$needed"
    touch .venv/.ready-test
else
    make_environment
    install_qt_libraries
    touch .venv/.ready
fi
