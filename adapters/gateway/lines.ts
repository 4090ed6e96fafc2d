/** The lines of a system's text, without their ends. */
export const linesOf = (text: string): readonly string[] => text.split(/\r?\n/)

/** The words of a line, between blanks. */
export const wordsOf = (line: string): readonly string[] => line.split(/\s+/).filter((word) => word !== "")
