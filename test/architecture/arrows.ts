/** Who may import whom: the arrows of the architecture, as one table, and the judgement of one import. */
import { posix } from "node:path"

/** A place in the house: a room of the core, a runtime's adapter, or a whole top-level folder. */
type Place = string

type Rule = {
  /** Places it may import from, through their index.ts or another of their faces. It may always import from itself. */
  readonly places: readonly Place[]
  /** Packages, by name; `node:` stands for all of Node's own modules, `#runtime` for the adapter of the runtime at hand, `*` for whatever package.json declares. */
  readonly packages: readonly string[]
  /** Files of data, by their path from the root. */
  readonly data?: readonly string[]
}

const PURE = ["@noble/hashes", "ts-pattern"]
const room = (...places: readonly Place[]): Rule => ({ places, packages: PURE })
const CORE = [
  "core",
  "core/wire",
  "core/table",
  "core/server",
  "core/cgn",
  "core/client",
  "core/flow",
  "core/overlay",
  "core/decode",
]
const RUNTIME: Rule = {
  places: [...CORE, "adapters", "adapters/client", "adapters/gateway", "adapters/files"],
  packages: ["node:"],
}

/** Faces besides a place's index.ts: an entry of the package by itself, so that its room's users need not carry it; what rooms alone share; what only the command and the page need. */
const FACES: readonly string[] = ["core/wire/text/index.ts", "core/wire/dissect/make.ts", "core/overlay/take-apart.ts"]

export const RULES: Readonly<Record<Place, Rule>> = {
  core: room(...CORE),
  "core/wire": room(),
  "core/table": room(),
  "core/cgn": room("core/wire", "core/table"),
  "core/server": room("core/wire", "core/cgn"),
  "core/client": room("core/wire"),
  "core/flow": room("core/wire", "core/table"),
  "core/overlay": room("core/wire", "core/table"),
  "core/decode": room("core/wire", "core/flow", "core/overlay"),
  adapters: { places: CORE, packages: [] },
  "adapters/client": { places: ["core/client", "core/wire", "adapters", "adapters/gateway"], packages: [] },
  "adapters/flow": { places: ["core/flow", "core/wire", "adapters", "adapters/client"], packages: ["node:"] },
  "adapters/overlay": {
    places: ["core/overlay", "core/wire", "adapters", "adapters/client", "adapters/files"],
    packages: ["node:"],
  },
  "adapters/gateway": { places: ["core/wire", "adapters"], packages: [] },
  "adapters/files": { places: [...CORE, "adapters", "adapters/client"], packages: ["node:"] },
  "adapters/node": RUNTIME,
  "adapters/deno": RUNTIME,
  "adapters/bun": RUNTIME,
  "adapters/browser": { places: [...CORE, "adapters", "adapters/client", "adapters/gateway"], packages: [] },
  "adapters/conformance": { places: ["core/wire", "adapters"], packages: ["node:", "zod"] },
  // What a running server tells the page: the command writes it, and the page reads it.
  "adapters/live": { places: [...CORE, "adapters"], packages: [] },
  "adapters/linux": { places: ["core/cgn", "core/server", "core/wire", "adapters"], packages: ["node:"] },
  "adapters/cli": {
    // No runtime by name: package.json's conditions choose the adapter behind #runtime.
    places: [
      ...CORE,
      "adapters",
      "adapters/client",
      "adapters/flow",
      "adapters/overlay",
      "adapters/conformance",
      "adapters/linux",
      "adapters/live",
    ],
    packages: ["node:", "#runtime", "#console", "*"],
    data: ["package.json", "schema/serve.schema.json"],
  },
  playground: { places: [...CORE, "adapters/live"], packages: ["*"] },
}

/** The place of a source by its path from the root: files directly in `core/` and `adapters/` belong to those. */
export const placeOf = (path: string): Place => {
  const [top, second, ...rest] = path.split("/")
  return rest.length > 0 && (top === "core" || top === "adapters") ? `${top}/${second}` : top
}

const packageOf = (specifier: string): string =>
  specifier.startsWith("node:")
    ? "node:"
    : specifier
        .split("/")
        .slice(0, specifier.startsWith("@") ? 2 : 1)
        .join("/")

/**
 * Why the source at `path` may not import `specifier`, or undefined when it may. `exists` answers for paths from the
 * root, `declared` for package names.
 */
export const judgeImport = (
  path: string,
  specifier: string,
  exists: (path: string) => boolean,
  declared: (name: string) => boolean,
): string | undefined => {
  const from = placeOf(path)
  const rule = from === "test" ? undefined : RULES[from]
  if (rule === undefined && from !== "test") return `no arrow is drawn for ${from}`

  if (!specifier.startsWith(".")) {
    const name = packageOf(specifier)
    if (name !== "node:" && !name.startsWith("#") && !declared(name))
      return `${specifier} is not a package that package.json declares for ${from}`
    if (rule === undefined || rule.packages.includes(name)) return undefined
    return rule.packages.includes("*") && !name.startsWith("#") && name !== "node:"
      ? undefined
      : `${from} may not import ${specifier}`
  }

  // What Vite is to make of a file stands behind a question mark.
  const target = posix.join(posix.dirname(path), specifier.replace(/\?.*$/, ""))
  if (!exists(target)) return `${specifier} is no file`
  if (rule?.data?.includes(target)) return undefined
  const to = placeOf(target)
  if (rule === undefined || to === from) return undefined
  if (!rule.places.includes(to)) return `${from} may not import from ${to}`
  // The adapters' own ground has no index.ts: its files are package entries themselves.
  if (to !== "adapters" && target !== `${to}/index.ts` && !FACES.includes(target))
    return `${to} is imported through its index.ts alone`
  return undefined
}
