/**
 * Breaks text at spaces into lines of at most `width` characters, all but the first `hang` characters shorter and indented by
 * as many; a longer word is cut. At least one line.
 */
export const wrap = (text: string, width: number, hang = 0): string[] => {
  const lines: string[] = []
  const indent = " ".repeat(hang)
  let line = ""
  const end = (): void => {
    lines.push(line)
    line = indent
  }
  const empty = (): boolean => line === "" || line === indent
  for (const word of text.split(" ")) {
    if (!empty() && line.length + 1 + word.length > width) end()
    line += empty() ? word : ` ${word}`
    while (line.length > width) {
      const rest = line.slice(width)
      line = line.slice(0, width)
      end()
      line += rest
    }
  }
  return [...lines, line]
}
