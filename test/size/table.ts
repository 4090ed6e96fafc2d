/** The table of sizes, as it stands in the pages. */
import { BUNDLERS, type Bundler, gzipped, programOf } from "./bundle.ts"
import { PIECES, type Piece } from "./piece.ts"

export interface Measured {
  readonly piece: Piece
  /** kB of 1000 octets. */
  readonly size: Readonly<Record<Bundler, number>>
}

/** The pages that show it. */
export const PAGES = ["test/bench/RESULTS.md", "docs/packaging.md"] as const

const measure = async (piece: Piece): Promise<Measured> => {
  const program = programOf(piece.source, piece.names)
  const size = async (bundler: Bundler): Promise<number> => gzipped((await BUNDLERS[bundler](program)).code) / 1000
  return { piece, size: { esbuild: await size("esbuild"), Vite: await size("Vite") } }
}

export const measureAll = async (): Promise<readonly Measured[]> => {
  const all: Measured[] = []
  for (const piece of PIECES) all.push(await measure(piece))
  return all
}

const HEAD = "| what a program uses | Vite, kB | esbuild, kB | limit, kB |\n| --- | ---: | ---: | ---: |\n"

export const tableOf = (all: readonly Measured[]): string =>
  HEAD +
  all
    .map(
      ({ piece, size }) =>
        `| ${piece.name} | ${size.Vite.toFixed(1)} | ${size.esbuild.toFixed(1)} | ${piece.limit} |\n`,
    )
    .join("")

const TABLE = /^\| what a program uses \|.*\n(?:\|.*\n)+/m

/** A page with the table in place of the one that it has. */
export const withTable = (page: string, table: string): string => page.replace(TABLE, () => table)

/** What a page's table says, by name. */
export const readTable = (
  page: string,
): ReadonlyMap<string, { readonly Vite: number; readonly esbuild: number; readonly limit: number }> =>
  new Map(
    (TABLE.exec(page)?.[0] ?? "")
      .split("\n")
      .slice(2)
      .filter((line) => line !== "")
      .map((line) => {
        const [, name = "", vite, esbuild, limit] = line.split("|").map((cell) => cell.trim())
        return [name, { Vite: Number(vite), esbuild: Number(esbuild), limit: Number(limit) }]
      }),
  )
