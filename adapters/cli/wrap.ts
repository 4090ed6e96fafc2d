/** Breaks text at spaces into lines of at most `width` characters; a longer word is cut. At least one line. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    let rest = word
    if (line !== "" && line.length + 1 + rest.length <= width) {
      line += ` ${rest}`
      continue
    }
    if (line !== "") lines.push(line)
    while (rest.length > width) {
      lines.push(rest.slice(0, width))
      rest = rest.slice(width)
    }
    line = rest
  }
  return [...lines, line]
}
