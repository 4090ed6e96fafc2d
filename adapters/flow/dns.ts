import process from "node:process"
import type { FlowEnd } from "../../core/flow/index.ts"
import { formatAddress, isIpv4, parseAddress } from "../../core/wire/index.ts"
import { type Directory, type DirectoryEnd, type DirectoryName, parseEnd } from "./directory.ts"
import { FlowError } from "./flow-error.ts"

/** Which DNS a directory asks and updates. */
export interface DnsOptions {
  /** `192.0.2.53`, with a port or without: left out, the system's resolvers are asked, and nothing can be published. */
  readonly server?: string | undefined
  /** The zone that the labels stand in; left out the root, as the reference has it. */
  readonly zone?: string | undefined
  /** Seconds that others may remember a name for. Default 86400, the reference's `DNS_TTL`. */
  readonly ttl?: number | undefined
  /** The tool that speaks RFC 2136, bind9's or knot's. Default `nsupdate`. */
  readonly nsupdate?: string | undefined
  /** A file with the TSIG key that updates are signed with (RFC 8945): `nsupdate -k`. */
  readonly key?: string | undefined
}

const TTL = 86400
/** Milliseconds that an update may take. */
const UPDATE_TIMEOUT = 10_000

/**
 * Names in DNS: a name's label, MD5 in 32 hex digits, has A and AAAA records, as the reference's (AAAA where it writes an A for IPv6); and
 * beyond it `_flow._udp` below has an SRV record (RFC 2782) with the port, which a NAT may have chosen. Without one the layer's own port is meant.
 * Throws a RangeError for a server or a zone that is none.
 */
export const dnsDirectory = (options: DnsOptions = {}): Directory => {
  const { zone = "", ttl = TTL } = options
  if (!/^(?:[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?)?$/i.test(zone)) throw new RangeError(`not a zone: ${zone}`)
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 0x7fffffff) throw new RangeError(`not a TTL: ${ttl}`)
  const server = options.server === undefined ? undefined : parseEnd(options.server)
  const suffix = zone.replace(/\.$/, "") === "" ? "" : `.${zone.replace(/\.$/, "")}`
  const nameOf = ({ label }: DirectoryName): string => `${label}${suffix}`
  return {
    lookup: (name, signal) => look(nameOf(name), server, signal),
    ...(server === undefined
      ? {}
      : { publish: (name, ends) => update(script(nameOf(name), server, suffix, ttl, ends), options) }),
  }
}

/** What the resolver says where a name has no such record. */
const NOTHING: readonly unknown[] = ["ENOTFOUND", "ENODATA"]

const look = async (
  name: string,
  server: DirectoryEnd | undefined,
  signal: AbortSignal | undefined,
): Promise<readonly DirectoryEnd[]> => {
  const { Resolver } = await import("node:dns/promises")
  const resolver = new Resolver({ timeout: 2000, tries: 3 })
  if (server !== undefined) resolver.setServers([serverText(server)])
  const cancel = (): void => resolver.cancel()
  signal?.addEventListener("abort", cancel, { once: true })
  const some = async <T>(records: Promise<readonly T[]>): Promise<readonly T[]> => {
    try {
      return await records
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && NOTHING.includes(cause.code)) return []
      throw cause
    }
  }
  try {
    const [four, six, services] = await Promise.all([
      some(resolver.resolve4(name)),
      some(resolver.resolve6(name)),
      some(resolver.resolveSrv(`_flow._udp.${name}`)),
    ])
    const [service] = services
    return [...six, ...four].flatMap((text) => {
      const address = parseAddress(text)
      return address === undefined ? [] : [{ address, port: service?.port }]
    })
  } finally {
    signal?.removeEventListener("abort", cancel)
  }
}

const serverText = ({ address, port }: DirectoryEnd): string => {
  const text = isIpv4(address) ? formatAddress(address) : `[${formatAddress(address)}]`
  return port === undefined ? text : `${text}:${port}`
}

/** One update that takes out what there was and puts in what is: both or neither (RFC 2136 section 3.4). */
const script = (
  name: string,
  { address, port }: DirectoryEnd,
  suffix: string,
  ttl: number,
  ends: readonly FlowEnd[],
): string => {
  const [first] = ends
  if (ends.some((end) => end.port !== first?.port))
    throw new FlowError("EINVAL", "DNS has one port of a name, and its ends have several")
  const lines = [
    `server ${formatAddress(address)}${port === undefined ? "" : ` ${port}`}`,
    ...(suffix === "" ? [] : [`zone ${suffix.slice(1)}.`]),
    ...["A", "AAAA"].map((type) => `update delete ${name}. ${type}`),
    `update delete _flow._udp.${name}. SRV`,
    ...ends.map((end) => {
      const text = formatAddress(end.address)
      return `update add ${name}. ${ttl} ${isIpv4(end.address) ? "A" : "AAAA"} ${text}`
    }),
    ...(first === undefined ? [] : [`update add _flow._udp.${name}. ${ttl} SRV 0 0 ${first.port} ${name}.`]),
    "send",
    "quit",
  ]
  return `${lines.join("\n")}\n`
}

/** Gives the tool its script, and nothing of the environment but where programs are. */
const update = async (text: string, { nsupdate = "nsupdate", key }: DnsOptions): Promise<void> => {
  const { spawn } = await import("node:child_process")
  await new Promise<void>((resolve, reject) => {
    const fail = (why: string, cause?: unknown): void =>
      reject(new FlowError("EIPCP", `${nsupdate}: ${why}`, { cause }))
    const child = spawn(nsupdate, key === undefined ? [] : ["-k", key], {
      stdio: ["pipe", "pipe", "pipe"],
      env: { PATH: process.env.PATH ?? "" },
      timeout: UPDATE_TIMEOUT,
    })
    let said = ""
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part: string) => {
        said = `${said}${part}`.slice(-1000)
      })
    child.on("error", (cause) => fail(cause.message, cause))
    child.on("close", (code) => {
      if (code === 0) resolve()
      else fail(said.trim().split("\n").at(-1) || `it ended with code ${code}`)
    })
    // It may end before it has read all.
    child.stdin.on("error", () => {})
    child.stdin.end(text)
  })
}

/** Names in the system's own lists, such as /etc/hosts, by their label: what the reference asks where it has no DNS. */
export const systemDirectory = (): Directory => ({
  lookup: async ({ label }) => {
    const { lookup } = await import("node:dns/promises")
    try {
      const found = await lookup(label, { all: true })
      return found.flatMap(({ address: text }) => {
        const address = parseAddress(text)
        return address === undefined ? [] : [{ address }]
      })
    } catch (cause) {
      if (cause instanceof Error && "code" in cause && [...NOTHING, "EAI_AGAIN"].includes(cause.code)) return []
      throw cause
    }
  },
})
