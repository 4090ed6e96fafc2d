/** tshark as a second reader of packets: runs it on a capture of them and gives what it names, in one shape. */

import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { toPcap } from "../../core/wire/text/index.ts"

/** The values of fields by Wireshark's name, in the order of the packet and in the form of `tshark -T fields`. */
export type Values = ReadonlyMap<string, readonly string[]>

/** What tshark names in one packet: the fields of each option apart, all others together. */
export type Seen = { readonly outside: Values; readonly options: readonly Values[] }

/** The first line of `tshark --version`, or nothing when it cannot be run. */
export const tsharkVersion = (): string | undefined => {
  try {
    return execFileSync("tshark", ["--version"], { stdio: ["ignore", "pipe", "ignore"] })
      .toString()
      .split("\n", 1)[0]
  } catch {
    return undefined
  }
}

/** Wireshark's type (`FT_UINT8`, `FT_BYTES` …) of each of its fields of the two protocols. */
export const tsharkFieldTypes = (): ReadonlyMap<string, string> => {
  const stdout = execFileSync("tshark", ["-G", "fields"], { stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 })
  const types = new Map<string, string>()
  for (const line of stdout.toString().split("\n")) {
    const [kind, , name, type] = line.split("\t")
    if (kind === "F" && /^(portcontrol|nat-pmp)\./.test(name)) types.set(name, type)
  }
  return types
}

/** Runs tshark on a capture of the packets and gives its standard output. */
export const runTshark = async (packets: readonly Uint8Array[], args: readonly string[]): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-tshark-"))
  try {
    const file = join(folder, "packets.pcap")
    writeFileSync(file, toPcap(packets.map((bytes) => ({ bytes }))))
    return await new Promise((resolve, reject) => {
      const child = spawn("tshark", ["-n", "-r", file, ...args], { stdio: ["ignore", "pipe", "pipe"] })
      const chunks: Uint8Array[] = []
      let complaints = ""
      child.stdout.on("data", (chunk: Uint8Array) => chunks.push(chunk))
      child.stderr.on("data", (chunk: Uint8Array) => {
        complaints += chunk.toString()
      })
      child.on("error", reject)
      child.on("close", (code) =>
        code === 0
          ? resolve(Buffer.concat(chunks).toString("utf8"))
          : reject(new Error(`tshark: ${code}: ${complaints}`)),
      )
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** All packets through `tshark -T json`, several thousand to a capture. */
export const readWithTshark = async (
  packets: readonly Uint8Array[],
  types: ReadonlyMap<string, string>,
  perFile = 4000,
): Promise<Seen[]> => {
  const all: Seen[] = []
  for (let i = 0; i < packets.length; i += perFile) {
    const part = packets.slice(i, i + perFile)
    const stdout = await runTshark(part, ["-T", "json", "--no-duplicate-keys", "-J", "portcontrol nat-pmp"])
    const read: unknown = JSON.parse(stdout)
    if (!Array.isArray(read) || read.length !== part.length) throw new Error("tshark lost packets")
    for (const packet of read) all.push(seenIn(packet, types))
  }
  return all
}

/** The same packets through `tshark -T fields`: for each the columns, the values of a repeated field joined by `|`. */
export const readColumns = async (packets: readonly Uint8Array[], names: readonly string[]): Promise<string[][]> => {
  const args = ["-T", "fields", "-E", "aggregator=|", ...names.flatMap((name) => ["-e", name])]
  const stdout = await runTshark(packets, args)
  return stdout
    .split("\n")
    .slice(0, -1)
    .map((line) => line.split("\t"))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

const at = (value: unknown, key: string): unknown => (isObject(value) ? value[key] : undefined)

const seenIn = (packet: unknown, types: ReadonlyMap<string, string>): Seen => {
  const layers = at(at(packet, "_source"), "layers")
  const outside = new Map<string, string[]>()
  const options: Map<string, string[]>[] = []
  for (const protocol of ["portcontrol", "nat-pmp"]) collect(at(layers, protocol), types, outside, options)
  return { outside, options }
}

const add = (values: Map<string, string[]>, name: string, value: string): void => {
  const list = values.get(name)
  if (list === undefined) values.set(name, [value])
  else list.push(value)
}

const collect = (
  tree: unknown,
  types: ReadonlyMap<string, string>,
  into: Map<string, string[]>,
  options: Map<string, string[]>[],
): void => {
  if (!isObject(tree)) return
  for (const [key, found] of Object.entries(tree)) {
    // `--no-duplicate-keys` makes an array of what comes more than once.
    for (const value of Array.isArray(found) ? found : [found]) {
      if (key === "portcontrol.option") {
        const option = new Map<string, string[]>()
        options.push(option)
        add(option, key, "1")
        collect(value, types, option, options)
        continue
      }
      const type = types.get(key)
      if (type !== undefined) add(into, key, normalise(type, value))
      collect(value, types, into, options)
    }
  }
}

/** From the form of `-T json` to that of `-T fields`. */
const normalise = (type: string, value: unknown): string => {
  // Subtrees and expert notes have no value of their own.
  if (type === "FT_NONE") return "1"
  if (typeof value !== "string") throw new Error(`tshark gave no string for a field of type ${type}`)
  if (type === "FT_BYTES") return value === "" ? "<MISSING>" : value.replaceAll(":", "")
  if (type === "FT_STRING") return value.replace(/[\b\t\n\f\r]/g, (c) => JSON.stringify(c).slice(1, -1))
  return value
}
