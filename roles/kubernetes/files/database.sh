# database.sh users: makes one user for each database, who may do anything there and nothing elsewhere.
# database.sh dump: dumps each database into /backup, as its user.
# DATABASES holds "user:database" words; the password of the n-th of them is in PASSWORD_n, counted from 0.
set -eu
umask 077

# The roots that the image trusts, on Debian or on Red Hat.
authority=/etc/ssl/certs/ca-certificates.crt
[ -f "$authority" ] || authority=/etc/pki/tls/certs/ca-bundle.crt

# knows PROGRAM OPTION: MySQL's clients and MariaDB's differ.
knows() { "$1" --no-defaults --help 2>/dev/null | grep -e "$2" >/dev/null; }
if knows mysql --ssl-mode; then verify=ssl-mode=VERIFY_IDENTITY; else verify=ssl-verify-server-cert; fi

# settings USER PASSWORD: in a file, so that no password is an argument.
settings() {
    cat >/tmp/client.cnf <<END
[client]
host=$DATABASE_HOST
port=$DATABASE_PORT
user=$1
password="$2"
ssl-ca=$authority
$verify
END
}
ask() { mysql --defaults-file=/tmp/client.cnf --batch --skip-column-names; }
password_of() { eval "printf %s \"\$PASSWORD_$1\""; }

users() {
    settings "$DATABASE_ADMIN" "$DATABASE_ADMIN_PASSWORD"
    number=0 report=
    for pair in $DATABASES; do
        user=${pair%%:*} database=${pair##*:} password=$(password_of $number)
        # "_" stands for any letter where rights are given.
        pattern=$(printf %s "$database" | sed 's/_/\\_/g')
        ask <<END
CREATE USER IF NOT EXISTS '$user'@'%' IDENTIFIED BY '$password';
ALTER USER '$user'@'%' IDENTIFIED BY '$password' REQUIRE SSL;
GRANT ALL PRIVILEGES ON \`$pattern\`.* TO '$user'@'%';
END
        tables=$(echo "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$database';" | ask)
        report="$report${report:+, }\"$database\": $tables"
        number=$((number + 1))
    done
    echo "{\"tables\": {$report}}"
}

dump() {
    if knows mysqldump --set-gtid-purged; then gtid=--set-gtid-purged=OFF; else gtid=; fi
    number=0
    for pair in $DATABASES; do
        database=${pair##*:}
        settings "${pair%%:*}" "$(password_of $number)"
        mysqldump --defaults-file=/tmp/client.cnf --single-transaction --no-tablespaces ${gtid:+"$gtid"} "$database" >"/backup/$database.sql"
        gzip "/backup/$database.sql"
        number=$((number + 1))
    done
}

"$1"
rm -f /tmp/client.cnf
