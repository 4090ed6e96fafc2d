/** A page that takes apart what is typed or pasted: a table of fields for each packet, and what is wrong with it. */
import { describe, dissect, leaves, read, validate } from "sallyport"

const element = <K extends keyof HTMLElementTagNameMap>(name: K, ...children: readonly (Node | string)[]) => {
  const made = document.createElement(name)
  made.append(...children)
  return made
}

const show = (bytes: Uint8Array): Node => {
  const dissection = dissect(bytes)
  const rows = [...leaves(dissection.root)].map((node) => {
    const name = element("th", node.field.name)
    name.scope = "row"
    name.title = node.field.rfc
    return element("tr", element("td", `${node.offset}`), name, element("td", describe(dissection, node)))
  })
  const findings = validate(bytes).map(({ severity, text, clause }) =>
    element("li", `${severity}: ${text} (${clause})`),
  )
  const caption = element("caption", describe(dissection, dissection.root))
  return element("section", element("table", caption, element("tbody", ...rows)), element("ul", ...findings))
}

const input = document.querySelector<HTMLTextAreaElement>("#input")
const output = document.querySelector("#output")

const update = (): void => {
  const reading = read(input?.value ?? "")
  const shown = reading.ok ? reading.packets.map(({ bytes }) => show(bytes)) : [element("p", reading.error.text)]
  output?.replaceChildren(...shown)
}

input?.addEventListener("input", update)
update()
