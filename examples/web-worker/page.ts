/** The page: a file goes to the worker, one line for each packet comes back. */
import { startDecoder } from "./ask.ts"

const decoder = startDecoder()
const file = document.querySelector<HTMLInputElement>("#file")
const out = document.querySelector("#out")

file?.addEventListener("change", async () => {
  const chosen = file.files?.[0]
  if (chosen === undefined || out === null) return
  const decoded = await decoder.decode(new Uint8Array(await chosen.arrayBuffer()))
  out.textContent = decoded.ok
    ? decoded.packets.map(({ tree, findings }) => `${tree.text}, ${findings.length} findings`).join("\n")
    : decoded.error.text
})
