import { Ansis } from "ansis"

/**
 * Colours for one stream: only on a terminal, and not when NO_COLOR is set to anything (no-color.org). Colour never carries
 * meaning alone.
 */
export type Paint = Readonly<
  Record<"bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan", (text: string) => string>
>

export const paintFor = (stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Paint => {
  const off = stream.isTTY !== true || (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb"
  // 1: the sixteen colours that every terminal has, in the shades that its user chose.
  return new Ansis(off ? 0 : 1)
}
