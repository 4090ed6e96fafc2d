/** The public symbols of the package's entries, as `deno doc --json` has them, and which of them say nothing of themselves. */
import { execFileSync } from "node:child_process"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import manifest from "../../package.json" with { type: "json" }

export const root: string = join(import.meta.dirname, "../..")

/** Deno itself: what npm links would start it as a child. */
export const deno: string = join(root, "node_modules/deno", process.platform === "win32" ? "deno.exe" : "deno")

const targets = (value: unknown): readonly string[] => {
  if (typeof value === "string") return value.startsWith("./dist/") ? [value] : []
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(targets) : []
}

/** The sources behind package.json's exports, by their paths from the root. */
export const entries: readonly string[] = [
  ...new Set(targets(manifest.exports).map((path) => path.replace("./dist/", "").replace(/(?:\.d)?\.[jt]s$/, ".ts"))),
]

type Json = { readonly [key: string]: unknown }

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)
const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((found, key) => (isJson(found) ? found[key] : undefined), value)
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])
const text = (value: unknown): string => (typeof value === "string" ? value : "")

/** A symbol, or a member of one, and where it stands. */
export type Documented = {
  readonly name: string
  /** Path and line, from 1. */
  readonly place: string
  readonly doc: string
  /** Its `@example`s, as they stand in the comment. */
  readonly examples: readonly string[]
  /** One literal, as `kind: "map"`, which tells the members of a union apart and says what it says. */
  readonly tag: boolean
}

/** What `deno doc --json` says of one entry, by its path from `cwd`. Of several at once, all but the first would only refer to it. */
export const readDoc = (path: string, cwd = root): Json => {
  const stdout = execFileSync(deno, ["doc", "--quiet", "--json", path], { cwd, encoding: "utf8", maxBuffer: 1 << 28 })
  const json: unknown = JSON.parse(stdout)
  if (!isJson(json) || !isJson(json.nodes)) throw new Error("deno doc gave no nodes")
  return json.nodes
}

const placed = (node: unknown, name: string, cwd: string): Documented => {
  const file = text(at(node, "location", "filename"))
  const path = file.startsWith("file:") ? relative(cwd, fileURLToPath(file)).replaceAll("\\", "/") : file
  return {
    name,
    // Deno counts lines from 0.
    place: `${path}:${Number(at(node, "location", "line")) + 1}`,
    doc: text(at(node, "jsDoc", "doc")),
    examples: list(at(node, "jsDoc", "tags"))
      .filter((tag) => at(tag, "kind") === "example")
      .map((tag) => text(at(tag, "doc"))),
    tag: at(node, "tsType", "kind") === "literal",
  }
}

const MEMBERS = ["properties", "methods", "callSignatures", "indexSignatures", "constructors"]

/** What a declaration has inside: of an interface, of a class, of a type that is one object. */
const membersOf = (declaration: unknown): readonly unknown[] => {
  const def = at(declaration, "def")
  // The numbers of a registry, say, are no type: their names are the registry's own.
  const plain = at(declaration, "kind") === "typeAlias" && at(def, "tsType", "kind") === "typeLiteral"
  const alias = plain ? at(def, "tsType", "value") : undefined
  return MEMBERS.flatMap((key) => [...list(at(def, key)), ...list(at(alias, key))])
}

/** All public symbols and members of entries, each once, though several entries give it. */
export const symbolsOf = (nodes: Json, cwd = root): readonly Documented[] => {
  const found = new Map<string, Documented>()
  for (const entry of Object.values(nodes)) {
    for (const symbol of list(at(entry, "symbols"))) {
      const name = text(at(symbol, "name"))
      for (const declaration of list(at(symbol, "declarations"))) {
        // A second name of what is described under its first.
        if (at(declaration, "kind") === "reference") continue
        const whole = placed(declaration, name, cwd)
        // What is written in one line is described as one.
        const members = membersOf(declaration)
          .map((member) => placed(member, `${name}.${text(at(member, "name"))}`, cwd))
          .filter(({ place }) => place !== whole.place)
        for (const one of [whole, ...members]) found.set(`${one.place} ${one.name}`, one)
      }
    }
  }
  return [...found.values()]
}

/** What an entry says of itself, by its `@module` comment. */
export const moduleDoc = (nodes: Json): string =>
  Object.values(nodes)
    .map((entry) => text(at(entry, "module_doc", "doc")))
    .join("")

/** The symbols without a word: a program cannot know what they are, in which unit, or what is asked of it. */
export const undocumented = (symbols: readonly Documented[]): readonly string[] =>
  symbols.filter(({ doc, tag }) => doc.trim() === "" && !tag).map(({ name, place }) => `${place}: ${name}`)
