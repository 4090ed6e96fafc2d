import { type FlowEnd, labelOfName } from "../../core/flow/index.ts"
import { isLinkLocal6, parseAddress } from "../../core/wire/index.ts"

/** A name as a directory has it. */
export interface DirectoryName {
  /** The name itself. */
  readonly name: string
  /** MD5 of the name, 32 lower-case hex digits: the label of DNS. */
  readonly label: string
}

/** An end as a directory knows it: without a port, the layer's own is meant. */
export interface DirectoryEnd {
  /** IPv4 is IPv4-mapped. */
  readonly address: FlowEnd["address"]
  /** 1 to 65535. */
  readonly port?: number | undefined
  /** The interface of a link-local address (RFC 4007 section 11). */
  readonly zone?: string | undefined
}

/** Where names are found, and made known. Both may reject, with whatever says why. */
export interface Directory {
  /** The ends of a name, the best first; none where it is not known. */
  lookup(name: DirectoryName, signal?: AbortSignal): Promise<readonly DirectoryEnd[]>
  /** Makes a name known at these ends, in place of all others; with none, takes it out. */
  publish?(name: DirectoryName, ends: readonly FlowEnd[]): Promise<void>
}

/**
 * Names by a list: `{ oecho: "192.0.2.1", other: ["[2001:db8::1]:4000"] }`. Throws a RangeError for an end that is none.
 */
export const staticDirectory = (hosts: Readonly<Record<string, string | readonly string[]>>): Directory => {
  const known = new Map(
    Object.entries(hosts).map(([name, ends]) => [name, (typeof ends === "string" ? [ends] : ends).map(parseEnd)]),
  )
  return { lookup: async ({ name }) => known.get(name) ?? [] }
}

/** Asks each in turn until one knows the name. Publishes in all that can. */
export const chainDirectories = (directories: readonly Directory[]): Directory => ({
  lookup: async (name, signal) => {
    let failure: { readonly cause: unknown } | undefined
    for (const directory of directories)
      try {
        const ends = await directory.lookup(name, signal)
        if (ends.length > 0) return ends
      } catch (cause) {
        failure ??= { cause }
      }
    if (failure !== undefined) throw failure.cause
    return []
  },
  publish: async (name, ends) => {
    await Promise.all(directories.map((directory) => directory.publish?.(name, ends)))
  },
})

/**
 * Reads `192.0.2.1`, `192.0.2.1:3435`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:3435` or `[fe80::1%eth0]:3435`. Throws a
 * RangeError for anything else.
 */
export const parseEnd = (text: string): DirectoryEnd => {
  const whole = zoned(/^\[([^\]]+)\]$/.exec(text)?.[1] ?? text)
  if (whole !== undefined) return whole
  const [, inner, plain, digits = ""] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? []
  const end = zoned(inner ?? plain ?? "")
  const port = Number(digits)
  if (end === undefined || digits === "" || port < 1 || port > 65535) throw new RangeError(`not an address: ${text}`)
  return { ...end, port }
}

const zoned = (text: string): DirectoryEnd | undefined => {
  const [host, zone, more] = text.split("%")
  const address = parseAddress(host ?? "")
  if (address === undefined || zone === "" || more !== undefined) return undefined
  if (zone === undefined) return { address }
  return isLinkLocal6(address) ? { address, zone } : undefined
}

/** A name with its label; `undefined`: it is no name. */
export const directoryName = (name: string): DirectoryName | undefined => {
  const label = labelOfName(name)
  return label === undefined ? undefined : { name, label }
}
