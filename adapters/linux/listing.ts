import { constants } from "node:buffer"
import { spawn } from "node:child_process"
import { reasonOf } from "../system-error.ts"
import { type Element, joined, type Plane, TABLE } from "./plane.ts"

/** What elements the kernel has in the table, by set and key, joined by a blank; `left`: milliseconds, to the second. */
export type Listing = ReadonlyMap<string, Element & { readonly left: number | undefined }>

export type Listed = { readonly ok: true; readonly value: Listing } | { readonly ok: false; readonly text: string }

export interface ListOptions {
  readonly program?: string
  /** Octets of a listing at most, by default those that a text can have: of more nothing is known. */
  readonly most?: number
  /** Ends it: nobody wants to know any more. */
  readonly halt?: AbortSignal
}

/** Lists the table by the program `nft` and while the server goes on: of many mappings that takes seconds. What it prints is read as one text. */
export const listTable = (
  { family, sets }: Pick<Plane, "family" | "sets">,
  { program = "nft", most = constants.MAX_STRING_LENGTH, halt }: ListOptions = {},
): Promise<Listed> =>
  new Promise((resolve) => {
    if (halt?.aborted) return resolve({ ok: false, text: "it was stopped" })
    // Protocols as numbers: their names depend on the machine's /etc/protocols.
    const child = spawn(program, ["-j", "-p", "list", "table", family, TABLE], { stdio: ["ignore", "pipe", "pipe"] })
    const kill = (): void => void child.kill("SIGKILL")
    halt?.addEventListener("abort", kill, { once: true })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    let size = 0
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.length
      if (size <= most) out.push(chunk)
      else out.length = 0
    })
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk))
    child.once("error", (cause) => resolve({ ok: false, text: `${program}: ${reasonOf(cause)}` }))
    child.once("close", (code) => {
      halt?.removeEventListener("abort", kill)
      resolve(
        halt?.aborted
          ? { ok: false, text: "it was stopped" }
          : code !== 0
            ? { ok: false, text: Buffer.concat(err).toString().trim() }
            : size > most
              ? { ok: false, text: `the listing has ${size} octets, where ${most} are the most` }
              : readListing(Buffer.concat(out).toString(), sets),
      )
    })
  })

/** Reads what `nft -j list table` prints (libnftables-json(5)); `sets` are those whose elements are mappings. */
export const readListing = (text: string, sets: readonly string[]): Listed => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    return { ok: false, text: reasonOf(cause) }
  }
  const objects = field(json, "nftables")
  if (!Array.isArray(objects)) return { ok: false, text: "this is no listing of nft" }
  const elements = new Map<string, Element & { readonly left: number | undefined }>()
  for (const object of objects) {
    const found = field(object, "set") ?? field(object, "map")
    const name = field(found, "name")
    if (typeof name !== "string" || !sets.includes(name)) continue
    const list = field(found, "elem")
    for (const entry of Array.isArray(list) ? list : []) {
      const element = readElement(name, entry, field(found, "map") !== undefined)
      elements.set(`${name} ${element.key}`, element)
    }
  }
  return { ok: true, value: elements }
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined

const readElement = (set: string, entry: unknown, isMap: boolean): Element & { readonly left: number | undefined } => {
  const [first, data]: readonly unknown[] = isMap && Array.isArray(entry) ? entry : [entry, undefined]
  const timed = field(first, "elem")
  const expires = field(timed, "expires")
  return {
    set,
    key: valueText(timed === undefined ? first : field(timed, "val")),
    data: data === undefined ? undefined : valueText(data),
    left: typeof expires === "number" ? expires * 1000 : undefined,
  }
}

/** A value as {@link Element} has it. */
const valueText = (value: unknown): string => {
  const parts = field(value, "concat")
  if (Array.isArray(parts)) return joined(...parts.map(valueText))
  const range = field(value, "range")
  if (Array.isArray(range)) return range.map(valueText).join("-")
  const prefix = field(value, "prefix")
  return prefix === undefined ? String(value) : `${String(field(prefix, "addr"))}/${String(field(prefix, "len"))}`
}
