/** Text on one line that cannot drive a terminal: a name of a file may hold any control character, visible here as `\u001b`. */
export const oneLine = (text: string): string =>
  text
    .replaceAll("\n", " ")
    .replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
