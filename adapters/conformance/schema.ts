/** The schema of the vectors' files: what is read is checked by it, and test/vectors/schema.json is made from it. */
import { z } from "zod"
import { CAPABILITIES, type Requirement, type VectorFile } from "./case.ts"

const template = z.string().describe("a hex template: see README.md")
const seconds = z.int().min(0).max(0xffffffff)
const port = z.int().min(0).max(65535)
const octet = z.int().min(0).max(255)
const ports = z.strictObject({ first: port, last: port })
const timeouts = z.strictObject({ udp: seconds, tcp: seconds })
const kind = z.enum(["dslite", "nat444", "nat64", "nat46", "nptv6", "firewall4", "firewall6", "l2dslite"])
const level = z.enum(["MUST", "SHOULD", "MAY", "in effect"])
const clause = z.string().regex(/^RFC \d+ [\d., ]+$/)
const optional = z.exactOptional

const facts = {
  kind: optional(z.enum(["map", "peer", "implicit", "static"])),
  origin: optional(z.enum(["pcp", "nat-pmp", "traffic", "administrator"])),
  protocol: optional(octet),
  internal: optional(template),
  internalPort: optional(template),
  external: optional(template),
  externalPort: optional(template),
  remote: optional(template),
  remotePort: optional(template),
  nonce: optional(template),
  description: optional(z.string()),
  lifetime: optional(seconds),
}
const mappings = optional(z.array(z.strictObject(facts)))
const effects = optional(
  z.array(
    z.strictObject({
      type: z.enum([
        "created",
        "renewed",
        "deleted",
        "expired",
        "moved",
        "filtered",
        "epoch-reset",
        "subscriber-reset",
      ]),
      filters: optional(z.int().min(0)),
      ...facts,
    }),
  ),
)

const configuration = z.strictObject({
  kind: optional(kind),
  external: optional(z.array(z.string())),
  ports: optional(ports),
  minLifetime: optional(seconds),
  maxLifetime: optional(seconds),
  shortError: optional(seconds),
  longError: optional(seconds),
  pcp: optional(z.boolean()),
  natPmp: optional(z.boolean()),
  announce: optional(z.boolean()),
  map: optional(z.boolean()),
  peer: optional(z.boolean()),
  thirdParty: optional(z.boolean()),
  otherProtocols: optional(z.boolean()),
  port0: optional(z.boolean()),
  oneToOne: optional(z.boolean()),
  quota: optional(z.int().min(0)),
  filterLimit: optional(z.int().min(1)),
  idleTimeout: optional(timeouts),
  recycleDelay: optional(timeouts),
  noncePolicy: optional(z.enum(["rfc", "strict", "off"])),
  staticMappings: optional(
    z.array(
      z.strictObject({
        protocol: octet,
        internal: z.string(),
        internalPort: port,
        external: z.string(),
        externalPort: port,
      }),
    ),
  ),
  prefix64: optional(
    z.array(z.strictObject({ prefix: z.string().regex(/^([0-9a-f]{2})+$/), ipv4: optional(z.array(z.string())) })),
  ),
  thirdPartyIds: optional(z.array(z.string().regex(/^([0-9a-f]{2})+$/))),
})

const at = z.number().min(0).describe("milliseconds since the case began")
const where = z.strictObject({
  name: z.string(),
  minus: optional(z.string()),
  atLeast: optional(z.int()),
  atMost: optional(z.int()),
  differsFrom: optional(z.string()),
  parityOf: optional(z.string()),
})

const request = z.strictObject({
  at: optional(at),
  from: optional(z.string()),
  sourcePort: optional(port),
  side: optional(z.literal("outside")),
  send: template,
  expect: z.union([template, z.null(), z.array(z.union([template, z.null()])).min(1)]),
  where: optional(z.array(where)),
  effects,
  mappings,
})

const outbound = z.strictObject({
  at: optional(at),
  outbound: z.strictObject({ from: optional(z.string()), protocol: octet, port: template }),
})

const wait = z.strictObject({
  at,
  to: optional(z.enum(["unicast", "multicast"])),
  unsolicited: optional(z.array(z.strictObject({ at, to: template, port, bytes: template }))),
  effects,
  mappings,
})

const event = z.strictObject({
  at: optional(at),
  event: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("announce") }),
    z.strictObject({ type: z.literal("revoke"), internal: template }),
    z.strictObject({ type: z.literal("reconfigure"), configuration }),
  ]),
  effects,
  mappings,
})

export const VECTOR_FILE: z.ZodType<VectorFile> = z.strictObject({
  $schema: optional(z.string()),
  title: z.string(),
  cases: z.array(
    z.strictObject({
      id: z.string().regex(/^[a-z0-9.-]+$/),
      title: z.string(),
      requirements: z.array(z.string().regex(/^[A-Z]-\d{2,3}$/)).min(1),
      clause,
      level: optional(level),
      kinds: optional(z.array(kind).min(1)),
      configuration: optional(configuration),
      needs: optional(z.array(z.enum(CAPABILITIES))),
      lacks: optional(z.array(z.enum(CAPABILITIES))),
      inProcess: optional(z.string()),
      steps: z.array(z.union([request, outbound, event, wait])).min(1),
    }),
  ),
})

export const REQUIREMENTS_FILE: z.ZodType<readonly Requirement[]> = z.array(
  z.strictObject({ id: z.string(), level, clause: z.string(), text: z.string() }),
)

export const VARIABLES_FILE: z.ZodType<Readonly<Record<string, Readonly<Record<string, string>>>>> = z.record(
  z.string(),
  z.record(z.string(), z.string()),
)
