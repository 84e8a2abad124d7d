// Judges bundles with @sigstore/verify. Reads a JSON array of argument lists, those of the sigstore-conformance client, on
// standard input and prints an array of answers: "accept", "reject: WHY" or "unsupported: WHY".
import { readFileSync } from "node:fs";
import { createHash, createPublicKey } from "node:crypto";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";

const DIGEST = /^(sha256|sha512):([0-9a-f]+)$/;
const IN_TOTO = "application/vnd.in-toto+json";

function argument(words, name) {
  const at = words.indexOf(name);
  return at < 0 ? undefined : words[at + 1];
}

// The library finds keys by the bundle's hint; there is one key, and it is used whatever the hint is.
function material(words) {
  const root = argument(words, "--trusted-root");
  const key = argument(words, "--key");
  const publicKey = key && createPublicKey(readFileSync(key));
  const trusted = TrustedRoot.fromJSON(root ? JSON.parse(readFileSync(root)) : {});
  return toTrustMaterial(trusted, key && (() => ({ publicKey, validFor: () => true })));
}

// The subject is a pattern for the library. The issuer is compared by value.
function policy(words) {
  const subject = argument(words, "--certificate-identity");
  if (!subject) return undefined;
  const escaped = subject.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return { subjectAlternativeName: `^${escaped}$`, extensions: { issuer: argument(words, "--certificate-oidc-issuer") } };
}

// The library verifies an envelope's signature only: to compare the subject is the caller's part.
function names(envelope, artifact) {
  if (envelope.payloadType !== IN_TOTO) throw new Error(`payload of type ${envelope.payloadType}`);
  const given = DIGEST.exec(artifact);
  const [algorithm, hex] = given ? given.slice(1) : ["sha256", createHash("sha256").update(readFileSync(artifact)).digest("hex")];
  const { subject } = JSON.parse(envelope.payload);
  if (!subject.some(({ digest }) => digest[algorithm] === hex)) throw new Error("another subject");
}

function judge(words) {
  const artifact = words.at(-1);
  const bundle = bundleFromJSON(JSON.parse(readFileSync(argument(words, "--bundle"))));
  const envelope = bundle.content.dsseEnvelope;
  if (!envelope && DIGEST.test(artifact)) return "unsupported: a digest in place of a signed file";
  // A signature with a key alone has no time, and is in no log, if no root is given to verify these with.
  const options = argument(words, "--trusted-root") ? {} : { tlogThreshold: 0, timestampThreshold: 0, ctlogThreshold: 0 };
  const entity = toSignedEntity(bundle, envelope ? undefined : readFileSync(artifact));
  new Verifier(material(words), options).verify(entity, policy(words));
  if (envelope) names(envelope, artifact);
  return "accept";
}

const cases = JSON.parse(readFileSync(0));
const answers = cases.map((words) => {
  try {
    return judge(words);
  } catch (error) {
    return `reject: ${error.message}`;
  }
});
console.log(JSON.stringify(answers));
