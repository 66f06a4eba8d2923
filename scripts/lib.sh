# What the scripts here share; sourced by them from the repository's root.

# Says how the script that is running is used, from the comment at its top, and ends it.
usage() {
    sed -n '2,/^[^#]/{s/^# \{0,1\}//p}' "$0"
    exit "${1:-0}"
}

# Ends with a sentence if there is no Rust.
need_rust() {
    if ! command -v cargo >/dev/null; then
        [[ -x $HOME/.cargo/bin/cargo ]] && PATH=$HOME/.cargo/bin:$PATH && return
        echo "$0: there is no cargo: install Rust first (https://rustup.rs)" >&2
        exit 1
    fi
}

# Where Cargo puts what it builds.
target_dir=${CARGO_TARGET_DIR:-target}
