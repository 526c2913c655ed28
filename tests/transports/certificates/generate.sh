#!/bin/sh
# Makes the certificates of the TLS tests anew; see README.md. Needs OpenSSL 3.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

new_key() {
  if [ "${ED25519:-}" ]; then openssl genpkey -algorithm ED25519 -out "$1"
  else openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
  fi
}

# authority <name> <common name>: one that signs itself.
authority() {
  new_key "$work/$1.key"
  openssl req -x509 -new -key "$work/$1.key" -subj "/CN=$2" -days 36500 \
    -addext "basicConstraints=critical,CA:TRUE" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -out "$1.pem"
}

# certificate <name> <common name> <authority> <extended use> <alternative names> [validity]
certificate() {
  new_key "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$work/$1.csr"
  printf '%s\n' "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
    "extendedKeyUsage=$4" "subjectAltName=$5" "authorityKeyIdentifier=keyid" \
    "subjectKeyIdentifier=hash" > "$work/$1.ext"
  [ -f "$work/$3.pem" ] || cp "$3.pem" "$work/$3.pem"
  # The option of openssl x509 that sets both dates is missing in OpenSSL 3.0, so openssl ca.
  : > "$work/index.txt"
  printf '%s\n' "[ca]" "default_ca=one" "[one]" "database=$work/index.txt" "rand_serial=yes" \
    "new_certs_dir=$work" "default_md=sha256" "policy=any" "unique_subject=no" \
    "[any]" "commonName=supplied" > "$work/ca.conf"
  openssl ca -batch -notext -config "$work/ca.conf" -cert "$work/$3.pem" \
    -keyfile "$work/$3.key" -in "$work/$1.csr" -extfile "$work/$1.ext" \
    -startdate "${6:-20200101000000Z}" -enddate "${7:-21200101000000Z}" -out "$1.pem" 2> "$work/log" ||
    { cat "$work/log"; exit 1; }
}

authority authority "Test authority"
authority stranger "Unknown authority"
certificate server localhost authority serverAuth "DNS:localhost,IP:127.0.0.1,IP:::1"
ED25519=1 certificate steady localhost authority serverAuth "DNS:localhost,IP:127.0.0.1,IP:::1"
certificate wrong_host elsewhere authority serverAuth "DNS:elsewhere.example"
certificate expired localhost authority serverAuth "DNS:localhost,IP:127.0.0.1" \
  20200101000000Z 20200201000000Z
certificate client "Test client" authority clientAuth "email:client@example.com"
certificate untrusted_client "Unknown client" stranger clientAuth "email:unknown@example.com"
openssl pkcs8 -topk8 -in server.key -passout pass:"open sesame" -v2 aes-256-cbc -out server_encrypted.key
openssl ec -in server.key -aes256 -passout pass:"open sesame" -out server_traditional.key
