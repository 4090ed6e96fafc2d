import { md5 } from "@noble/hashes/legacy.js"
import { type Encoded, joinOctets, u32 } from "../../wire/index.ts"
import { endsEarly, type OverlayParsed, readAs, tooWide, unread, unwritable } from "../parsed.ts"
import type { PluginSaved } from "../provider/plugin.ts"
import type { SavedInstance } from "../provider/varpd.ts"
import { type NvList, type NvValue, packNvlist, unpackNvlist } from "./nvlist.ts"

/** Octets before an instance's list: magic 4 | version 4 | MD5 of the list 16. */
export const INSTANCE_HEADER = 24

const MAGIC = Uint8Array.of(0x76, 0x61, 0x72, 0x70)
const VERSION = 1
const CLAUSE = "varpd_persist_header_t"
const MODES = { point: 1, dynamic: 2 } as const
/** The most octets that are read as one instance: a path, a host's name and some numbers are far fewer. */
const LARGEST = 65_536

/** The name of the file that keeps an instance: `7.varpd`. */
export const instanceFileName = (id: number): string => `${id}.varpd`

/** The instance that a file of this name keeps; `undefined`: it keeps none, and is left alone. */
export const instanceOfFile = (name: string): number | undefined =>
  /^[0-9]+\.varpd$/.test(name) ? Number.parseInt(name, 10) : undefined

/** Ports have 16 bits in the reference's lists, its counters 64. */
const numberOf = (name: string, value: number): NvValue =>
  /port$/.test(name) ? { type: "uint16", value } : { type: "uint64", value }

const pairOf = (name: string, value: string | number): NvValue =>
  typeof value === "string" ? { type: "string", text: value } : numberOf(name, value)

/**
 * The file that keeps an instance over a crash, as `libvarpd_persist` writes it: "varp", the version in the order of octets of the host
 * (here always little-endian), the MD5 of what follows, and a list in XDR: `vri_id` and what else makes the instance, with what the
 * plugin keeps in `vri_private`. To be written to a file of another name beside it and then renamed, mode 0600.
 */
export const encodeInstance = ({ id, link, destination, mode, plugin, saved }: SavedInstance): Encoded => {
  const wide = tooWide([
    ["id", id, 53],
    ["link", link, 53],
    ["destination", destination, 32],
    ...Object.entries(saved).flatMap(([name, value]) =>
      typeof value === "number" ? [[name, value, /port$/.test(name) ? 16 : 53] as const] : [],
    ),
  ])
  if (wide !== undefined) return wide
  const own = new Map(Object.entries(saved).map(([name, value]) => [name, pairOf(name, value)] as const))
  const body = packNvlist(
    new Map<string, NvValue>([
      ["vri_id", { type: "uint64", value: id }],
      ["vri_linkid", { type: "uint32", value: link }],
      ["vri_dest", { type: "uint32", value: destination }],
      ["vri_mode", { type: "uint32", value: MODES[mode] }],
      ["vri_plugin", { type: "string", text: plugin }],
      ["vri_private", { type: "nvlist", pairs: own }],
    ]),
  )
  if (INSTANCE_HEADER + body.length > LARGEST) return unwritable(`an instance of ${body.length} octets`)
  const header = new Uint8Array(INSTANCE_HEADER)
  header.set(MAGIC)
  header[4] = VERSION
  header.set(md5(body), 8)
  return { ok: true, bytes: joinOctets([header, body]) }
}

/**
 * Reads a file that keeps an instance, of either order of octets. An error says where and why: the caller puts the file aside by another
 * name and says so, where the reference removes it.
 */
export const parseInstance = (bytes: Uint8Array): OverlayParsed<SavedInstance> => {
  if (bytes.length < INSTANCE_HEADER) return endsEarly(bytes, "the header", INSTANCE_HEADER, CLAUSE)
  if (bytes.length > LARGEST) return unread("length", LARGEST, CLAUSE, `a file of ${bytes.length} octets`)
  if (MAGIC.some((octet, at) => bytes[at] !== octet)) return unread("value", 0, CLAUSE, 'it does not begin with "varp"')
  const version = u32(bytes, 4)
  if (version !== VERSION && version !== VERSION * 2 ** 24)
    return unread("version", 4, CLAUSE, `a file of version ${bytes[4] === 0 ? version : bytes[4]}`)
  const body = bytes.subarray(INSTANCE_HEADER)
  const digest = md5(body)
  if (digest.some((octet, at) => bytes[8 + at] !== octet))
    return unread("checksum", 8, CLAUSE, "the MD5 is another one: the file is not as it was written")
  const list = unpackNvlist(body)
  if (list.ok) return instanceFrom(list.value)
  return { ok: false, error: { ...list.error, offset: INSTANCE_HEADER + list.error.offset } }
}

const lacks = (name: string) => unread("value", INSTANCE_HEADER, CLAUSE, `${name} is not there, or is none`)

const instanceFrom = (list: NvList): OverlayParsed<SavedInstance> => {
  const id = numberIn(list, "vri_id")
  if (id === undefined) return lacks("vri_id")
  const link = numberIn(list, "vri_linkid")
  if (link === undefined) return lacks("vri_linkid")
  const destination = numberIn(list, "vri_dest")
  if (destination === undefined) return lacks("vri_dest")
  const code = numberIn(list, "vri_mode")
  const mode = code === MODES.point ? "point" : code === MODES.dynamic ? "dynamic" : undefined
  if (mode === undefined) return lacks("vri_mode")
  const plugin = list.get("vri_plugin")
  if (plugin?.type !== "string") return lacks("vri_plugin")
  const own = list.get("vri_private")
  if (own?.type !== "nvlist") return lacks("vri_private")
  const saved: Record<string, string | number> = {}
  for (const [name, value] of own.pairs) {
    if (value.type === "nvlist") return unread("value", INSTANCE_HEADER, CLAUSE, `${name} is a list`)
    // What is made from a file has no say about prototypes.
    Object.defineProperty(saved, name, {
      value: value.type === "string" ? value.text : value.value,
      enumerable: true,
    })
  }
  return readAs({ id, link, destination, mode, plugin: plugin.text, saved: saved satisfies PluginSaved })
}

const numberIn = (list: NvList, name: string): number | undefined => {
  const value = list.get(name)
  return value === undefined || value.type === "string" || value.type === "nvlist" ? undefined : value.value
}
