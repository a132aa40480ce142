# Sourced by tests/run and tests/bench/run: makes sure of the tools that are not Rust's, or says which are missing.

# Where Debian puts PostgreSQL's server programs is not on PATH.
has_postgres_server() {
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null ||
        [ -x "$(pg_config --bindir 2>/dev/null)/initdb" ]
}

has_venv() { python3 -c 'import ensurepip, venv' 2>/dev/null; }

has() {
    case "$1" in
    postgres-server) has_postgres_server ;;
    python-venv) has_venv ;;
    *) command -v "$1" >/dev/null ;;
    esac
}

# need TOOL=PACKAGE...: installs the Debian packages of missing tools when root, else names them and fails.
need() {
    local wanted tool missing=() packages=()
    for wanted in "$@"; do
        tool=${wanted%%=*}
        if ! has "$tool"; then
            missing+=("$tool")
            packages+=("${wanted#*=}")
        fi
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "missing: ${missing[*]}" >&2
        echo "install them, on Debian by: sudo apt-get install ${packages[*]}" >&2
        exit 1
    fi
    echo "installing ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${packages[@]}"; } >/dev/null
}

# Node's packages into tests/node_modules, as the lock file has them.
node_packages() {
    local done=tests/node_modules/.package-lock.json
    if [ ! -e "$done" ] || [ tests/package-lock.json -nt "$done" ]; then
        (cd tests && npm ci --loglevel=error)
        touch "$done"
    fi
}

# Python's packages into tests/.venv.
python_packages() {
    local done=tests/.venv/.installed
    if [ ! -e "$done" ] || ! cmp -s tests/requirements.txt "$done"; then
        python3 -m venv --clear tests/.venv
        tests/.venv/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
        cp tests/requirements.txt "$done"
    fi
}
