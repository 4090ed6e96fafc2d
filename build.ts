/**
 * `npm run build`: the library's modules and their types by tsc; the command as one bundle, so that it starts at once and brings the
 * packages it uses with it: whoever installs the library gets none of those; and the playground's page by Vite.
 */
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { build, type Metafile } from "esbuild"
import * as vite from "vite"

const root = import.meta.dirname

/** Where a bundle lies, and what stands for `#console` and `#runtime` in it. */
export interface BundleOptions {
  readonly outdir: string
  /** `own`: the package's entry, which the runtime resolves by its condition; `node`: Node's adapter, in the bundle. */
  readonly runtime: "own" | "node"
}

/**
 * Bundles the command. What starts it and what decodes a packet are a file each, which share nothing with the others that would have to be
 * loaded as well; all else is split, so that a command loads what it uses when it is named.
 */
export const bundleCommand = async ({ outdir, runtime }: BundleOptions): Promise<readonly Metafile[]> => {
  mkdirSync(join(root, outdir), { recursive: true })
  const bundle = async (entry: string, splitting: boolean, external: readonly string[]): Promise<Metafile> => {
    const { metafile, outputFiles } = await build({
      absWorkingDir: root,
      entryPoints: [`adapters/cli/${entry}.ts`],
      outdir,
      bundle: true,
      splitting,
      format: "esm",
      platform: "node",
      // By "main" alone, jsonc-parser is UMD, whose `require` of its own files no bundler sees.
      mainFields: ["module", "main"],
      target: "node20",
      minify: true,
      metafile: true,
      write: false,
      legalComments: "none",
      external: [...external, "sallyport/*"],
      alias: runtime === "own" ? { "#console": "sallyport/console", "#runtime": "sallyport/runtime" } : {},
    })
    for (const { path, text } of outputFiles)
      writeFileSync(path, withRequire(text.replaceAll(/(?<=import\("\.\/[\w-]+\.)ts(?="\))/g, "js")))
    return metafile
  }
  return [
    await bundle("main", false, ["./decode-words.ts", "./program.ts"]),
    await bundle("decode-words", false, []),
    await bundle("program", true, []),
  ]
}

/** Some of the packages are CommonJS and ask for Node's own modules by `require`; a file without them starts without it. */
const withRequire = (text: string): string =>
  text.includes("Dynamic require of")
    ? `import{createRequire as sallyportRequire}from"node:module";const require=sallyportRequire(import.meta.url);${text}`
    : text

/** Builds the page: split into files for a web server, and as the one file that the command serves and the package has. Gives its modules. */
const buildPage = async (): Promise<readonly string[]> => {
  const modules = new Set<string>()
  const listed: vite.Plugin = {
    name: "listed",
    moduleParsed: ({ id }) => {
      modules.add(id)
    },
  }
  const config = {
    configFile: join(root, "playground/vite.config.ts"),
    logLevel: "warn",
    plugins: [listed],
    worker: { plugins: () => [listed] },
  } as const satisfies vite.InlineConfig
  await vite.build(config)
  await vite.build({ ...config, mode: "file" })
  return [...modules]
}

/** The licences of all packages whose modules are in a bundle, as they ask for. */
const notices = (modules: readonly string[]): string => {
  const folders = new Set(
    modules.flatMap((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path.replaceAll("\\", "/"))?.[0] ?? []),
  )
  return [...folders]
    .sort()
    .map((folder) => {
      const text = globSync("{LICENSE,LICENCE,license}*", { cwd: resolve(root, folder) }).sort()
      const name = folder.replace(/^.*node_modules\//, "")
      return `${name}\n\n${text.map((file) => readFileSync(resolve(root, folder, file), "utf8").trim()).join("\n\n")}\n`
    })
    .join(`\n${"-".repeat(80)}\n\n`)
}

if (import.meta.main) {
  rmSync(join(root, "dist"), { recursive: true, force: true })
  const tsc = join(root, "node_modules/typescript/bin/tsc")
  const { status } = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: root, stdio: "inherit" })
  if (status !== 0) process.exit(status ?? 1)
  const metafiles = await bundleCommand({ outdir: "dist/cli", runtime: "own" })
  writeFileSync(join(root, "dist/cli/LICENSES.txt"), notices(metafiles.flatMap(({ inputs }) => Object.keys(inputs))))
  writeFileSync(join(root, "dist/playground/LICENSES.txt"), notices(await buildPage()))
}
