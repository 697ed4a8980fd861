#!/usr/bin/env bash
# Creates the passwords of compose.yaml in deploy/secrets, unless they exist.
set -euo pipefail
cd "$(dirname "$0")"

if [ -e secrets ]; then
    echo "deploy/secrets exists; remove it first to create new passwords"
    exit
fi
mkdir -m 0700 secrets
password() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}
queue=$(password)
store=$(password)
printf 'default_pass = %s\n' "$queue" >secrets/rabbitmq.conf
printf 'amqp://opbeat:%s@rabbitmq:5672/%%2f' "$queue" >secrets/queue-url
printf '%s' "$store" >secrets/postgres-password
printf 'postgres://opbeat:%s@postgres/opbeat' "$store" >secrets/store-url
# The users of the containers read the files. The folder keeps all other users of this machine out.
chmod 0644 secrets/*
