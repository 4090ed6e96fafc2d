import { z } from "zod"
import { CGN_DEFAULTS, CGN_FLAGS, type CgnFlag, LEAST_BLOCK, MAX_POOL, MOST_BLOCKS } from "../../../core/cgn/index.ts"
import { DEFAULT_SETTINGS } from "../../../core/server/index.ts"
import { Opcode, OptionCode } from "../../../core/wire/index.ts"
import { address, anyPorts, endpoint, mappingEnd, pool, ports, prefix, protocol } from "./text.ts"

/**
 * The configuration file of `serve`. One description of it makes the check of a file, its type, the published JSON Schema
 * (`schema/serve.schema.json`) and the settings in `sallyport help serve`: what is written here is what users read.
 */

const COUNT = 0x7fffffff
const SECONDS = 0xffffffff

const whole = (least: number, most: number, description: string, preset?: number) =>
  z
    .int()
    .min(least)
    .max(most)
    .optional()
    .meta(preset === undefined ? { description } : { description, default: preset })

const flag = (description: string, preset: boolean) => z.boolean().optional().meta({ description, default: preset })

/** Kinds that `serve` has a CGN for. */
export const SERVED_KINDS = ["nat444", "nat64", "dslite", "firewall4", "firewall6", "nptv6", "nat46"] as const

/** Why a kind that is one is not served. */
const unserved = ({ input }: { readonly input?: unknown }): string | undefined =>
  input === "l2dslite"
    ? "l2dslite tells hosts apart by their layer-2 access, which a UDP socket does not say: serve has no such device"
    : undefined

const kind = z.enum(SERVED_KINDS, {
  error: (issue) =>
    unserved(issue) ?? `expected one of ${SERVED_KINDS.join(", ")}: the kinds that serve has a device for`,
})

const ON = z.boolean().optional()
const SWITCHES = {
  announce: ON,
  map: ON,
  peer: ON,
  mapSource: ON,
  mapInternal: ON,
  mapExternal: ON,
  mapDestination: ON,
  otherProtocols: ON,
  port0: ON,
  oneToOne: ON,
  firewall: ON,
  thirdParty: ON,
  thirdPartyB4Only: ON,
  thirdPartyZeroOnly: ON,
  announceCallback: ON,
  updateCallback: ON,
  cacheCallback: ON,
} satisfies Record<CgnFlag, typeof ON>

const profile = z
  .union([kind, z.strictObject({ kind, ...SWITCHES })], {
    error: (issue) =>
      unserved(issue) ??
      `expected a kind (${SERVED_KINDS.join(", ")}), or an object with kind and switches that are true or false: ${CGN_FLAGS.join(", ")}`,
  })
  .optional()
  .meta({
    description: `What is controlled: ${SERVED_KINDS.join(", ")}; or an object with the kind and switches that differ from its preset: ${CGN_FLAGS.join(", ")}.`,
    default: "nat444",
  })

const staticMapping = z.strictObject({
  protocol,
  internal: mappingEnd,
  external: mappingEnd,
  realm: address.optional().meta({ description: "What tells overlapping internal addresses apart: the B4's address." }),
})

const rule = z.strictObject({
  action: z
    .enum(["allow", "deny"])
    .meta({ description: "What becomes of a request that fits all fields of the rule." }),
  clients: prefix.optional().meta({ description: "Source addresses of requests." }),
  internal: prefix.optional().meta({ description: "Internal addresses: the source, or what THIRD_PARTY names." }),
  internalPorts: anyPorts.optional(),
  externalPorts: anyPorts.optional().meta({
    description: "Suggested external ports; no suggestion fits a rule that allows, and none that denies.",
  }),
  protocol: protocol.optional(),
  opcode: z
    .enum(["ANNOUNCE", "MAP", "PEER"])
    .transform((name) => Opcode[name])
    .optional()
    .meta({ description: "NAT-PMP's mapping requests count as MAP, that for the external address as ANNOUNCE." }),
  option: z
    .enum(["THIRD_PARTY", "PREFER_FAILURE", "FILTER", "THIRD_PARTY_ID", "DESCRIPTION", "PREFIX64", "PORT_SET"])
    .transform((name) => OptionCode[name])
    .optional()
    .meta({ description: "An option that the request has; one that may not be used is answered UNSUPP_OPTION." }),
})

const rate = z.strictObject({ perSecond: z.number().positive().max(1e9), burst: z.int().min(1).max(1e9) }).optional()

const seconds = z.int().min(0).max(SECONDS).optional()
const perProtocol = (description: string, least: number, preset: object) => {
  const delay = z.int().min(least).max(COUNT).optional()
  return z.strictObject({ udp: delay, tcp: delay }).optional().meta({ description, default: preset })
}

const count = (least: number, most: number, description: string) => z.int().min(least).max(most).meta({ description })

const assignment = z
  .discriminatedUnion(
    "kind",
    [
      z.strictObject({ kind: z.literal("random") }),
      z.strictObject({
        kind: z.literal("blocks"),
        size: count(LEAST_BLOCK, 65535, "Ports of a block."),
        limit: count(1, MOST_BLOCKS, "Blocks of one subscriber.").optional(),
      }),
      z.strictObject({
        kind: z.literal("deterministic"),
        internal: z.array(prefix).min(1),
        ratio: count(1, 65535, "Subscribers of one external address.").optional(),
        dynamic: z
          .strictObject({
            factor: count(1, 65535, "Ranges of each external address that are left for the dynamic pool."),
            size: count(LEAST_BLOCK, 65535, "Ports of a block of the dynamic pool."),
            maximum: count(1, COUNT, "Ports of one subscriber, with those of its own."),
          })
          .optional(),
      }),
    ],
    { error: "expected an object whose kind is random, blocks or deterministic" },
  )
  .optional()
  .meta({
    description:
      "How external ports are assigned. kind random: any, one by one. kind blocks, with size and limit (4): consecutive ports to each subscriber. kind deterministic, with internal, ratio and dynamic (factor, size, maximum): by arithmetic (RFC 7422), to the subscribers of internal, a list of prefixes; of B4s in DS-Lite.",
    default: CGN_DEFAULTS.assignment,
  })

const some = <T extends z.ZodType>(item: T, description: string, preset?: readonly unknown[]) =>
  z
    .array(item)
    .optional()
    .meta(preset === undefined ? { description } : { description, default: [...preset] })

export const SERVE_CONFIG = z
  .strictObject({
    $schema: z.string().optional().meta({ description: "Where an editor finds this schema." }),

    listen: some(endpoint, "Where to listen; port 5351 where none is given.", ["127.0.0.1", "::1"]),
    interfaces: some(
      z.string().min(1).max(64),
      "Network interfaces, by name: besides listen, every address that each has when the server starts, port 5351.",
    ),
    pcp: flag("Answer PCP.", DEFAULT_SETTINGS.pcp),
    natPmp: flag("Answer NAT-PMP.", DEFAULT_SETTINGS.natPmp),
    profile,
    threatModel: z.enum(["simple", "advanced"]).optional().meta({
      description:
        "RFC 6887 section 18. advanced: THIRD_PARTY is served where the profile has it; only where requests cannot be forged.",
      default: DEFAULT_SETTINGS.threatModel,
    }),

    external: z
      .union([pool.transform((spans) => [spans]), z.array(pool)], {
        error: "expected addresses as text, or a list of them",
      })
      .optional()
      .meta({ description: `Pool of external IPv4 addresses, ${MAX_POOL} at most.`, default: "203.0.113.0/29" }),
    inside: some(prefix, "Where a firewall's internal hosts are; without it, anywhere."),
    prefixes: some(
      z.strictObject({ internal: prefix, external: prefix }),
      "What nptv6 translates: pairs of an internal and an external prefix, of 1 to 64 bits.",
    ),
    addressPairs: some(
      z.strictObject({ ipv4: address, ipv6: address }),
      "What nat46 translates one by one: pairs of an internal IPv4 and an external IPv6 address.",
    ),
    ipv6Prefix: prefix.optional().meta({
      description: "Behind which nat46 puts all other internal hosts: 32, 40, 48, 56, 64 or 96 bits (RFC 6052).",
      examples: ["64:ff9b::/96"],
    }),
    ports: ports.optional().meta({ description: "External ports to assign.", default: "1024-65535" }),
    assignment,
    staticMappings: some(
      staticMapping,
      "Mappings by the administrator: protocol, internal and external end. They do not end, and no request changes them.",
    ),
    rules: some(
      rule,
      "Permission rules in order: the first whose fields all fit a request decides; a request that none fits is allowed.",
    ),

    quota: whole(0, COUNT, "Most mappings of one internal address; 0: no limit.", 1024),
    subscriberQuota: whole(0, COUNT, "Most mappings of one subscriber; 0: no limit.", CGN_DEFAULTS.subscriberQuota),
    subscriberPrefix: z
      .strictObject({ ipv4: z.int().min(0).max(32), ipv6: z.int().min(0).max(128) })
      .partial()
      .optional()
      .meta({
        description: "Leading bits that one subscriber's addresses share.",
        default: CGN_DEFAULTS.subscriberPrefix,
      }),
    lifetimes: z
      .strictObject({ min: seconds, max: seconds })
      .optional()
      .meta({
        description: "Least and most lifetime of a mapping, seconds; min is PCP's alone.",
        default: { min: DEFAULT_SETTINGS.minLifetime, max: DEFAULT_SETTINGS.maxLifetime },
      }),
    errorLifetimes: z
      .strictObject({ short: seconds, long: seconds })
      .optional()
      .meta({
        description: "Lifetime of errors that soon pass, and of those that stay, seconds.",
        default: { short: DEFAULT_SETTINGS.shortError, long: DEFAULT_SETTINGS.longError },
      }),
    idleTimeout: perProtocol("Seconds without outbound traffic until an implicit mapping ends.", 1, {
      udp: 300,
      tcp: 7440,
    }),
    recycleDelay: perProtocol(
      "Seconds for which a freed external port is held for its former owner; 0: not at all.",
      0,
      CGN_DEFAULTS.recycleDelay,
    ),
    noncePolicy: z.enum(["rfc", "strict", "off"]).optional().meta({
      description:
        "What a nonce protects. strict: NAT-PMP does not learn of PCP's mappings either, and PCP does not take over NAT-PMP's. off: nonces are not compared.",
      default: CGN_DEFAULTS.noncePolicy,
    }),
    filterLimit: whole(1, COUNT, "Most FILTERs of one mapping.", 43),
    rateLimits: z
      .strictObject({
        perSource: rate.meta({ description: "Token bucket of each source address, of each /64 for IPv6." }),
        global: rate.meta({ description: "Token bucket of all requests together." }),
        over: z
          .enum(["drop", "no-resources"])
          .optional()
          .meta({ description: "What becomes of a request over a limit.", default: "drop" }),
      })
      .optional()
      .meta({ description: "How many requests are taken; without it, as many as come." }),

    thirdPartySubnets: some(prefix, "Clients that may use THIRD_PARTY; without it, all where it is served."),
    thirdPartyIds: z
      .record(z.string().regex(/^(?:[0-9A-Fa-f]{2})+$/, "expected an even number of hex digits"), address)
      .optional()
      .meta({ description: "THIRD_PARTY_IDs in hex, and the realm, as an address, that each names." }),
    description: flag("Keep DESCRIPTIONs.", DEFAULT_SETTINGS.description),
    portSet: flag("Map sets of ports.", DEFAULT_SETTINGS.portSet),
    prefix64: some(
      z.strictObject({
        prefix: prefix.meta({ description: "Of 32, 40, 48, 56, 64 or 96 bits.", examples: ["64:ff9b::/96"] }),
        suffix: z
          .string()
          .regex(/^(?:[0-9A-Fa-f]{2})*$/, "expected an even number of hex digits")
          .optional()
          .meta({ description: "The rest of the 12 octets in hex.", default: "all zero" }),
        ipv4Prefixes: z.array(prefix).optional(),
      }),
      "What PREFIX64 tells a NAT64's clients.",
    ),
    prefix64Unasked: flag("Send PREFIX64 with every MAP success, asked for or not.", DEFAULT_SETTINGS.prefix64Unasked),

    announceCount: whole(0, 10, "Transmissions of each announcement.", DEFAULT_SETTINGS.announceCount),
    updateCount: whole(0, 3, "Transmissions of each mapping update.", DEFAULT_SETTINGS.updateCount),
    updateLimit: whole(0, 1e6, "Mapping updates under way at once.", DEFAULT_SETTINGS.updateLimit),
    cacheSize: whole(1, 1e6, "Subscribers in the cache, where the profile has one.", DEFAULT_SETTINGS.cacheSize),

    state: z
      .strictObject({
        file: z.string().min(1).meta({ description: "The file." }),
        period: whole(1, 86400, "Seconds from one snapshot to the next.", 60),
      })
      .optional()
      .meta({
        description: "Where the server's state is kept over a restart. Holds nonces: readable by its owner alone.",
      }),
    log: z.enum(["all", "assignments"]).optional().meta({
      description:
        "Which events are printed. assignments: only those from which sallyport who tells whose an external port was: of mappings, of blocks, or with a deterministic assignment of settings alone.",
      default: "all",
    }),
    metrics: z.string().optional().meta({
      description: "Address and port of Prometheus metrics and /healthz over HTTP; port 9351 where none is given.",
    }),
    control: z
      .union([z.string().min(1), z.literal(false)], { error: "expected a path, or false" })
      .optional()
      .meta({
        description: "Path of the control socket; false: none. Default: one of its own, which the commands find.",
      }),
  })
  .meta({
    title: "Configuration of sallyport serve",
    description: "JSON with comments and trailing commas. Command line options go before what stands here.",
  })

/** A file as it was read: only what it has, texts as their values. */
export type ServeConfig = z.output<typeof SERVE_CONFIG>
