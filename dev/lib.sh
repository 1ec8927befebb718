# The workshop's functions: Odoo, Python, PostgreSQL and databases in one cache folder.
# Sourced by the commands beside it; runs nothing by itself. See dev/README.md.
# shellcheck shell=bash
set -euo pipefail

ADDON=crm_sales_coverage
ODOO_SERIES=19.0
ODOO_PACKAGES=(odoo-19 fonts-montserrat)
# Packages whose files the unpacked Odoo points at by symbolic links. Unstable's
# newer Font Awesome and Inconsolata have other file names: these come from stable.
ODOO_ASSETS=(
    libjs-jquery libjs-jquery-form libjs-underscore fonts-font-awesome
    fonts-roboto-unhinted fonts-inconsolata fonts-ocr-b fonts-glyphicons-halflings
)
# What a demo or test database holds before the addon comes.
TEMPLATE_MODULES=crm,sale_crm,sale_management,contacts,base_automation

CHECKOUT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

# === MESSAGES === #

say() { printf '%s\n' "-- $*" >&2; }

die() {
    printf '%s\n' "${0##*/}: $*" >&2
    exit 1
}

# Print the comment block at the top of a command: its help.
print_help() { sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$1"; }

# Answer --help and stop, whatever else was asked.
answer_help() {
    local script=$1 argument
    shift
    for argument in "$@"; do
        case $argument in --) break ;; -h | --help) print_help "$script" && exit 0 ;; esac
    done
}

# === PLACES === #

hash_of() { printf '%s' "$1" | sha1sum | cut -c1-8; }

# The cache folder: root's home is closed to the user PostgreSQL runs as.
default_home() {
    if [ "$(id -u)" = 0 ]; then
        echo "/var/cache/$ADDON"
    else
        echo "${XDG_CACHE_HOME:-$HOME/.cache}/$ADDON"
    fi
}

COVERAGE_HOME=${CRM_COVERAGE_HOME:-$(default_home)}
CHECKOUT_ID=$(hash_of "$CHECKOUT")
VENV=$COVERAGE_HOME/venv
PYTHON=$VENV/bin/python
PGROOT=$COVERAGE_HOME/postgres
LOGS=$COVERAGE_HOME/log
DATA_DIR=$COVERAGE_HOME/data
STAMPS=$COVERAGE_HOME/stamps
ADDONS=$COVERAGE_HOME/addons/$CHECKOUT_ID
CONF=$ADDONS.conf
PG_MARK='' # marks what belongs to a database server of the user's own
OWN_ODOO=$COVERAGE_HOME/odoo

# Run a function under a lock, so that two commands do not do the same thing at once:
# with_lock NAME FUNCTION…  It runs in a subshell: what it exports is lost.
with_lock() (
    exec 9>"$COVERAGE_HOME/.$1.lock"
    flock -n 9 || { say "waiting for another command ($1)" && flock 9; }
    "${@:2}"
)

# Is the step done for this content? is_done NAME CONTENT
is_done() { [ "$(cat "$STAMPS/$1" 2>/dev/null)" = "$2" ]; }

mark_done() { printf '%s\n' "$2" >"$STAMPS/$1"; }

# Run a noisy command into a log: quietly NAME COMMAND… Where the log will be gone
# with the machine, it is shown when the command fails.
quietly() {
    NOISE=$LOGS/$1.log
    "${@:2}" >"$NOISE" 2>&1 || { [ -z "${CI:-}" ] || tail -n 30 "$NOISE" >&2; return 1; }
}

# === THE MACHINE === #

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

check_system() {
    command -v apt-get >/dev/null ||
        die "unsupported system: Debian or Ubuntu with apt is needed"
    [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || packages_present ||
        die "run as root or install sudo: Debian packages are missing"
}

packages_present() { find_postgres && find_python; }

# Die when less than this many megabytes are free for the cache folder.
check_space() {
    local needed=$1 free
    free=$(df -Pm "$COVERAGE_HOME" | awk 'NR == 2 {print $4}')
    [ "$free" -ge "$needed" ] ||
        die "disk full: $COVERAGE_HOME needs $needed MB free and has $free MB"
}

# Create the cache folder; a first set-up needs room for all of it. A folder with other
# things in it is refused: dev/clean removes the whole of it.
prepare_home() {
    [[ $COVERAGE_HOME != *[[:space:]]* ]] || die "CRM_COVERAGE_HOME must not hold spaces"
    mkdir -p "$COVERAGE_HOME" 2>/dev/null ||
        die "cannot write $COVERAGE_HOME: set CRM_COVERAGE_HOME to a folder of yours"
    [ -d "$STAMPS" ] || [ -z "$(ls -A "$COVERAGE_HOME")" ] ||
        die "$COVERAGE_HOME is not empty: set CRM_COVERAGE_HOME to a folder of its own"
    if [ -e "$STAMPS/odoo-ready" ]; then check_space 500; else check_space 4000; fi
    mkdir -p "$LOGS" "$STAMPS" "$DATA_DIR" "$COVERAGE_HOME/addons"
}

# Install the Debian packages that are missing. Sources that do not answer are
# not fatal: what counts is that the packages arrive.
apt_install() {
    local missing=() package
    for package in "$@"; do
        dpkg -s "$package" 2>/dev/null | grep -q '^Status: install ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    quietly apt-update as_root apt-get update ||
        say "some package sources did not answer"
    quietly apt-install as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y --no-install-recommends "${missing[@]}" </dev/null ||
        die "no network? Debian packages were not installed (see $NOISE): ${missing[*]}"
}

# Does nobody listen on this port of the machine?
port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Install a browser for the tours, unless one that Odoo finds is there.
install_browser() {
    local name
    for name in google-chrome chromium chromium-browser google-chrome-stable; do
        ! command -v "$name" >/dev/null || return 0
    done
    apt_install chromium
}

# === ODOO === #

# Folder of the `odoo` Python package's parent, and the command, for any layout.
find_odoo() {
    local home=${ODOO_HOME:-$OWN_ODOO}
    if [ -f "$home/odoo-bin" ]; then
        ODOO_PATH=$home
        ODOO_BIN=$home/odoo-bin
    elif [ -f "$home/usr/bin/odoo" ]; then
        ODOO_PATH=$home/usr/lib/python3/dist-packages
        ODOO_BIN=$home/usr/bin/odoo
    else
        return 1
    fi
    export PYTHONPATH=$ODOO_PATH PYTHONPYCACHEPREFIX=$COVERAGE_HOME/pycache
}

# Odoo's series as its own release file says it; no dependency is imported.
odoo_series() {
    sed -n 's/^version_info = (\([0-9]*\), *\([0-9]*\),.*/\1.\2/p' \
        "$ODOO_PATH/odoo/release.py" 2>/dev/null || true
}

check_odoo() {
    find_odoo || die "ODOO_HOME=$ODOO_HOME holds neither odoo-bin nor usr/bin/odoo"
    local series
    series=$(odoo_series)
    [ "$series" = "$ODOO_SERIES" ] ||
        die "wrong Odoo version in $ODOO_PATH: ${series:-unknown}, not $ODOO_SERIES"
}

# The mirror and keyring of the machine's own Debian sources, as apt reads them.
debian_mirror() {
    # shellcheck disable=SC2016  # apt fills these in
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT) $(RELEASE)' \
        'Created-By: Packages' 2>/dev/null |
        awk -v codename="$(codename)" '$2 == "main" && $3 == codename {print $1; exit}'
}

codename() { (. /etc/os-release && echo "${VERSION_CODENAME:-}"); }

# apt with a state of its own: the machine's settings stay untouched.
private_apt() {
    apt-get -o "Dir::Etc::SourceList=$1/sources.list" -o Dir::Etc::SourceParts=- \
        -o "Dir::State::Lists=$1/lists" -o "Dir::Cache=$1/cache" \
        -o APT::Sandbox::User=root -o Acquire::Languages=none -q "${@:2}"
}

# Download Odoo and the files it links to from Debian unstable, and unpack them.
fetch_odoo() {
    find_odoo && return 0
    [ -z "${ODOO_HOME:-}" ] || check_odoo
    local work=$OWN_ODOO.tmp mirror keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    mirror=$(debian_mirror)
    [[ -n $mirror && -f $keyring ]] ||
        die "unsupported system: only Debian carries Odoo; set ODOO_HOME to a checkout"
    say "fetching Odoo $ODOO_SERIES (120 MB)"
    rm -rf "$work"
    mkdir -p "$work"/{apt/lists/partial,apt/cache/archives/partial,deb,prefix}
    printf "deb [signed-by=$keyring] $mirror %s main\n" sid "$(codename)" \
        >"$work/apt/sources.list"
    quietly odoo-lists private_apt "$work/apt" -o APT::Update::Error-Mode=any update ||
        die "no network? $mirror does not answer (see $NOISE)"
    (cd "$work/deb" && quietly odoo-download private_apt "$work/apt" \
        download "${ODOO_PACKAGES[@]/%//sid}" "${ODOO_ASSETS[@]/%//$(codename)}") ||
        die "no network? Odoo was not fetched from $mirror (see $LOGS/odoo-download.log)"
    say "unpacking Odoo"
    local deb
    for deb in "$work"/deb/*.deb; do dpkg -x "$deb" "$work/prefix"; done
    mend_odoo "$work/prefix"
    mv "$work/prefix" "$OWN_ODOO"
    rm -rf "$work"
    find_odoo
}

# Three repairs of the unpacked package: absolute links lead into the prefix; a
# second copy of the addons without their data goes; a file that the free package
# leaves out but `mail` lists gets an empty stand-in.
mend_odoo() {
    local prefix=$1 addons=$1/usr/lib/python3/dist-packages/odoo/addons link target
    find "$prefix" -type l -lname '/*' | while read -r link; do
        target=$(readlink "$link")
        [ ! -e "$prefix$target" ] || ln -sfnr "$prefix$target" "$link"
    done
    rm -rf "${addons%/odoo/addons}/addons"
    local stub=$addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js
    if [ ! -e "$stub" ]; then
        mkdir -p "${stub%/*}"
        echo "/* left out of Debian's package */" >"$stub"
    fi
}

# === PYTHON === #

python_fits() {
    "$1" -c 'import ensurepip, sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
        2>/dev/null
}

# The first Python that Odoo takes and that can make virtual environments.
find_python() {
    local candidate
    for candidate in "${CRM_COVERAGE_PYTHON:-python3.11}" \
        python3.12 python3.13 python3.10 python3 /usr/bin/python3; do
        if python_fits "$candidate"; then
            BASE_PYTHON=$candidate
            return 0
        fi
    done
    return 1
}

# Virtual environment with the pinned requirements; renewed when they change.
prepare_venv() {
    local wanted
    wanted=$(cat "$CHECKOUT"/dev/requirements-odoo.txt "$CHECKOUT"/requirements*.txt |
        sha1sum)
    is_done venv "$wanted" && [ -x "$PYTHON" ] && return 0
    find_python || apt_install python3-venv
    find_python || die "unsupported system: no Python from 3.10 to 3.13"
    say "installing Python packages ($("$BASE_PYTHON" -V))"
    "$PYTHON" -m pip --version >/dev/null 2>&1 || {
        rm -rf "$VENV"
        "$BASE_PYTHON" -m venv "$VENV"
    }
    PYTHONPATH='' quietly pip "$PYTHON" -m pip install --disable-pip-version-check \
        -r "$CHECKOUT/dev/requirements-odoo.txt" -r "$CHECKOUT/requirements.txt" \
        -r "$CHECKOUT/requirements-test.txt" </dev/null ||
        die "no network? Python packages were not installed (see $NOISE)"
    mark_done venv "$wanted"
}

# === POSTGRESQL === #

# Does PGHOST name a server of the user's own?
external_postgres() { [ "${PGHOST:-$PGROOT/socket}" != "$PGROOT/socket" ]; }

# The newest server binaries on the machine.
find_postgres() {
    PGBIN=$(find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null |
        sort -V | tail -n 1)
    [ -n "$PGBIN" ]
}

# Install the server without Debian's default cluster beside ours.
install_postgres() {
    find_postgres && return 0
    apt_install postgresql-common
    local switch=/etc/postgresql-common/createcluster.d/$ADDON.conf
    as_root mkdir -p "${switch%/*}"
    echo "create_main_cluster = false" | as_root tee "$switch" >/dev/null
    apt_install postgresql
    as_root rm -f "$switch"
    find_postgres || die "PostgreSQL's server was not found under /usr/lib/postgresql"
}

# PostgreSQL refuses to run as root: Debian's own `postgres` user stands in.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

# Where clients find the server: a socket in the cache folder, closed to others.
use_postgres() {
    if external_postgres; then
        PG_MARK=-$(hash_of "$PGHOST:${PGPORT:-}")
        DATA_DIR=$COVERAGE_HOME/data$PG_MARK
        CONF=$ADDONS$PG_MARK.conf
        [ "${PGUSER:-$(id -un)}" != postgres ] ||
            die "Odoo refuses the database user postgres: set PGUSER to another"
        return 0
    fi
    export PGHOST=$PGROOT/socket PGPORT=5469 PGUSER=odoo
    [ ${#PGHOST} -le 90 ] || die "CRM_COVERAGE_HOME is too long a path for a socket"
}

create_cluster() {
    [ ! -f "$PGROOT/data/PG_VERSION" ] || return 0
    say "creating a PostgreSQL cluster"
    rm -rf "$PGROOT"
    mkdir -p "$PGROOT"
    if [ "$(id -u)" = 0 ]; then
        chown postgres: "$PGROOT"
        as_postgres test -x "$COVERAGE_HOME" ||
            die "user postgres cannot reach $COVERAGE_HOME: set CRM_COVERAGE_HOME"
    fi
    as_postgres mkdir -m 700 "$PGROOT/socket"
    quietly initdb as_postgres "$PGBIN/initdb" -D "$PGROOT/new" -U odoo --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync ||
        die "PostgreSQL could not create its cluster: see $NOISE"
    as_postgres tee -a "$PGROOT/new/postgresql.conf" >/dev/null <<CONF
# A workshop: fast, reached through its socket only, allowed to lose data.
listen_addresses = ''
unix_socket_directories = '$PGROOT/socket'
max_connections = 200
shared_buffers = 512MB
work_mem = 32MB
max_wal_size = 4GB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum_naptime = 5min
jit = off
CONF
    as_postgres mv "$PGROOT/new" "$PGROOT/data"
}

postgres_runs() { "$PGBIN/pg_isready" -q; }

# Start the cluster when it does not run. The lock stays out of the daemon.
start_postgres() {
    external_postgres && return 0
    postgres_runs && return 0
    as_postgres "$PGBIN/pg_ctl" start -s -w -D "$PGROOT/data" -l "$PGROOT/postgres.log" \
        -o "-p $PGPORT" 9>&- >/dev/null ||
        die "PostgreSQL does not start: see $PGROOT/postgres.log"
}

stop_postgres() {
    find_postgres && [ -f "$PGROOT/data/postmaster.pid" ] || return 0
    as_postgres "$PGBIN/pg_ctl" stop -s -m fast -D "$PGROOT/data" || true
}

prepare_postgres() {
    use_postgres
    if external_postgres; then
        command -v psql >/dev/null || apt_install postgresql-client
        quietly psql psql -w -d postgres -c 'SELECT 1' ||
            die "the PostgreSQL server named by PGHOST=$PGHOST does not answer"
        return 0
    fi
    install_postgres
    create_cluster
    start_postgres
}

# === DATABASES === #

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

database_exists() {
    [ "$(sql -d postgres -v name="$1" <<<"SELECT 1 FROM pg_database WHERE datname = :'name'")" = 1 ]
}

addon_installed() {
    database_exists "$1" && [ -n "$(sql -d "$1" -c "SELECT 1 FROM ir_module_module
        WHERE name = '$ADDON' AND state IN ('installed', 'to upgrade')")" ]
}

drop_database() {
    sql -d postgres -v name="$1" <<<'DROP DATABASE IF EXISTS :"name" WITH (FORCE)' \
        2>/dev/null
    rm -rf "$DATA_DIR/filestore/${1:?}"
}

# Copy a database and its filestore; stored files never change, so links will do.
copy_database() {
    drop_database "$2"
    mkdir -p "$DATA_DIR/filestore"
    [ ! -d "$DATA_DIR/filestore/$1" ] ||
        cp -al "$DATA_DIR/filestore/$1" "$DATA_DIR/filestore/$2"
    sql -d postgres -v source="$1" -v target="$2" \
        <<<'CREATE DATABASE :"target" TEMPLATE :"source"'
}

rename_database() {
    drop_database "$2"
    sql -d postgres -v source="$1" -v target="$2" \
        <<<'ALTER DATABASE :"source" RENAME TO :"target"'
    mv "$DATA_DIR/filestore/$1" "$DATA_DIR/filestore/$2"
}

template_name() { echo "template_$(hash_of "$ODOO_PATH $TEMPLATE_MODULES")"; }

# The database that demo and test databases are copied from: Odoo's own modules
# with their demo data, our addon not in it. About 90 seconds, once.
prepare_template() {
    local template new
    template=$(template_name)
    new=${template}_new
    database_exists "$template" && return 0
    say "building the template database (two minutes, once)"
    drop_database "$new"
    : >"$LOGS/template.log"
    quietly template-errors odoo_command -d "$new" -i "$TEMPLATE_MODULES" \
        --stop-after-init --no-http --logfile="$LOGS/template.log" ||
        die "the template was not built: see $LOGS/template.log and $NOISE"
    silence_crons "$new"
    rename_database "$new" "$template"
}

# Crons that call Odoo's own services stay off: there may be no network, and nobody
# asked to be counted.
silence_crons() {
    sql -d "$1" <<'SQL'
UPDATE ir_cron SET active = false WHERE id IN (
    SELECT res_id FROM ir_model_data WHERE model = 'ir.cron' AND (module, name) IN (
        ('crm_iap_enrich', 'ir_cron_lead_enrichment'),
        ('mail', 'ir_cron_module_update_notification'),
        ('mail', 'ir_cron_web_push_notification'),
        ('sms', 'ir_cron_sms_scheduler_action'),
        ('snailmail', 'snailmail_print')))
SQL
}

# === RUNNING ODOO === #

# The addons folder holds one link: a checkout may be called anything, an addon not.
# Odoo finds its own addons by itself.
write_config() {
    mkdir -p "$ADDONS"
    ln -sfn "$CHECKOUT" "$ADDONS/$ADDON"
    cat >"$CONF.new" <<CONF
[options]
addons_path = $ADDONS
data_dir = $DATA_DIR
admin_passwd = admin
with_demo = True
workers = 0
max_cron_threads = 0
http_interface = 127.0.0.1
CONF
    mv "$CONF.new" "$CONF"
}

# Odoo's own command line; its sub-commands take -c after their name.
odoo_command() {
    case ${1:-} in
    [a-z]*) "$PYTHON" "$ODOO_BIN" "$1" -c "$CONF" "${@:2}" ;;
    *) "$PYTHON" "$ODOO_BIN" -c "$CONF" "$@" ;;
    esac
}

# Run a Python file inside `odoo shell`, where `env` is at hand: run_script DATABASE FILE
run_script() { odoo_command shell -d "$1" --no-http --log-level=warn <"$2"; }

# A new database with demo data and the addon: create_database NAME LOG
create_database() {
    copy_database "$(template_name)" "$1"
    install_addon "$1" "$2"
}

# Install or update our addon: install_addon DATABASE LOG [-i or -u]
install_addon() {
    [ -f "$CHECKOUT/__manifest__.py" ] || die "there is no addon in $CHECKOUT yet"
    : >"$2"
    odoo_command -d "$1" "${3:--i}" "$ADDON" --stop-after-init --no-http \
        --logfile="$2" 2>"$2.err" ||
        { tail -n 30 "$2" "$2.err" >&2 && die "the addon does not install: see $2"; }
}

# === ALL TOGETHER === #

set_up_steps() {
    fetch_odoo
    check_odoo
    prepare_venv
    prepare_postgres
    write_config
    prepare_template
    touch "$STAMPS/odoo-ready"
}

# Make everything present that a command needs, then point this shell at it.
set_up() {
    check_system
    use_postgres
    prepare_home
    with_lock set-up set_up_steps
    check_odoo
}

# For dev/lint: the Python packages and the addon's link, no Odoo, no server.
set_up_tools() {
    check_system
    prepare_home
    with_lock set-up prepare_venv
    mkdir -p "$ADDONS"
    ln -sfn "$CHECKOUT" "$ADDONS/$ADDON"
}
