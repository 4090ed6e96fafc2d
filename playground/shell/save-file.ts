/** Gives octets or text to the browser as a file. */
export const saveFile = (name: string, content: string | readonly Uint8Array[]): void => {
  const parts = typeof content === "string" ? [content] : content.map((octets) => new Uint8Array(octets))
  const url = URL.createObjectURL(new Blob(parts))
  const link = document.createElement("a")
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
