/** What an application pays for a piece of the package: bundled and minified with it by the tools that applications use, then gzipped. */
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import * as esbuild from "esbuild"
import * as vite from "vite"

export const root = join(import.meta.dirname, "../..")

export interface Bundle {
  readonly code: string
  /** Sources with anything in it, from the package's root; of dependencies, from node_modules. */
  readonly sources: readonly string[]
}

const relative = (path: string): string =>
  path.replaceAll("\\", "/").replace(/^.*\/(?=node_modules\/|core\/|adapters\/)/, "")

const byEsbuild = async (program: string, folder = root): Promise<Bundle> => {
  const { outputFiles, metafile } = await esbuild.build({
    stdin: { contents: program, resolveDir: folder, loader: "ts" },
    absWorkingDir: folder,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    logLevel: "silent",
    write: false,
    metafile: true,
  })
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs))
  return {
    code: outputFiles.map(({ text }) => text).join(""),
    sources: inputs.flatMap(([path, { bytesInOutput }]) =>
      bytesInOutput > 0 && path !== "<stdin>" ? [relative(path)] : [],
    ),
  }
}

const byVite = async (program: string, folder = root): Promise<Bundle> => {
  const main = join(folder, "program.ts")
  const built = await vite.build({
    root: folder,
    configFile: false,
    logLevel: "silent",
    plugins: [
      {
        name: "program",
        enforce: "pre",
        resolveId: (id) => (id === main ? id : undefined),
        load: (id) => (id === main ? program : undefined),
      },
    ],
    build: { write: false, modulePreload: false, rolldownOptions: { input: main } },
  })
  const chunks = [built]
    .flat()
    .flatMap((one) => ("output" in one ? one.output : []))
    .flatMap((part) => (part.type === "chunk" ? [part] : []))
  return {
    code: chunks.map(({ code }) => code).join(""),
    sources: chunks.flatMap(({ modules }) =>
      Object.entries(modules).flatMap(([id, { renderedLength }]) =>
        renderedLength > 0 && id !== main ? [relative(id)] : [],
      ),
    ),
  }
}

/** Bundlers with the minifier that each has of its own. A program is bundled as if it lay in `folder`. */
export const BUNDLERS = { esbuild: byEsbuild, Vite: byVite } as const

export type Bundler = keyof typeof BUNDLERS

/** The octets that a browser fetches. */
export const gzipped = (code: string): number => (code.trim() === "" ? 0 : gzipSync(code, { level: 9 }).length)

/** A program that uses some names of a source and nothing else. */
export const programOf = (source: string, names: readonly string[]): string =>
  `import { ${names.join(", ")} } from "./${source}"\nglobalThis.used = [${names.join(", ")}]\n`
