import { useComputed } from "@preact/signals"
import { useRef } from "preact/hooks"
import type { InspectedField } from "../model/inspect/index.ts"
import { fieldOf, hoverHandlers } from "./field-target.ts"
import { ValueEditor } from "./value-editor.tsx"
import type { Workbench } from "./workbench.ts"

interface ItemProps {
  readonly bench: Workbench
  readonly field: InspectedField
  readonly place: number
  readonly of: number
}

/** The other way to write an address is among the details. */
const shortText = ({ text, address }: InspectedField): string =>
  address === undefined ? text : text.replace(` (${address.mapped})`, "")

const TreeItem = ({ bench, field, place, of }: ItemProps) => {
  const { id, children, depth, name, class: own } = field
  const isMarked = useComputed(() => {
    const top = bench.hovered.value ?? bench.selected.value
    return top === id || (id > 0 && bench.marked.value.has(id))
  })
  const isGroup = children.length > 0
  const isEditing = bench.editing.value === id
  return (
    <div
      role="treeitem"
      class={`item${isGroup ? " group" : ""}${field.missing > 0 ? " cut" : ""}`}
      data-marked={useComputed(() => (isMarked.value ? "" : undefined))}
      data-class={own}
      data-field={id}
      aria-level={depth + 1}
      aria-posinset={place}
      aria-setsize={of}
      aria-selected={useComputed(() => (bench.selected.value === id ? "true" : "false"))}
      {...(isGroup ? { "aria-expanded": !bench.folded.value.has(id) } : {})}
      tabIndex={useComputed(() => (bench.selected.value === id ? 0 : -1))}
      style={{ "--depth": depth }}
    >
      <span class="fold" aria-hidden="true">
        {isGroup ? (bench.folded.value.has(id) ? "▸" : "▾") : ""}
      </span>
      <span class="swatch" aria-hidden="true" />
      <span class="name">
        {name}
        <span class="hidden">: </span>
      </span>
      {isEditing ? (
        <ValueEditor bench={bench} field={field} />
      ) : (
        id > 0 && <span class="value">{shortText(field)}</span>
      )}
    </div>
  )
}

/** Every field of the packet; a double click, F2 or Enter types over its value. */
export const TreeView = ({ bench }: { readonly bench: Workbench }) => {
  const { fields } = bench.inspection.value
  const folded = bench.folded.value
  const tree = useRef<HTMLDivElement>(null)
  const shown: InspectedField[] = []
  const add = (id: number): void => {
    shown.push(fields[id])
    if (!folded.has(id)) for (const child of fields[id].children) add(child)
  }
  add(0)

  const focusOn = (id: number): void => {
    const item = tree.current?.querySelector(`[data-field="${id}"]`)
    if (item instanceof HTMLElement) item.focus()
  }
  const go = (id: number): void => {
    bench.select(id)
    focusOn(id)
  }
  const fold = (id: number, closed: boolean): void => {
    const next = new Set(folded)
    if (closed) next.add(id)
    else next.delete(id)
    bench.folded.value = next
  }
  const edit = (id: number): void => {
    bench.select(id)
    if (fields[id].children.length === 0) bench.editing.value = id
    else bench.said.value = "its parts can be edited"
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLInputElement) return
    const id = fieldOf(event.target) ?? bench.selected.value
    const at = shown.findIndex((one) => one.id === id)
    const own = fields[id]
    const isGroup = own.children.length > 0
    switch (event.key) {
      case "ArrowDown":
        go(shown[Math.min(at + 1, shown.length - 1)].id)
        break
      case "ArrowUp":
        go(shown[Math.max(at - 1, 0)].id)
        break
      case "ArrowRight":
        if (isGroup && folded.has(id)) fold(id, false)
        else if (isGroup) go(own.children[0])
        break
      case "ArrowLeft":
        if (isGroup && !folded.has(id)) fold(id, true)
        else if (own.parent >= 0) go(own.parent)
        break
      case "Home":
        go(0)
        break
      case "End":
        go(shown[shown.length - 1].id)
        break
      case "Enter":
      case "F2":
        edit(id)
        break
      default:
        return
    }
    event.preventDefault()
  }
  return (
    <div
      ref={tree}
      class="tree"
      role="tree"
      aria-label="Fields"
      tabIndex={-1}
      onKeyDown={onKeyDown}
      {...hoverHandlers(bench, ({ target }) => fieldOf(target))}
      onClick={(event) => {
        const id = fieldOf(event.target)
        if (id === undefined || event.target instanceof HTMLInputElement) return
        if (event.target instanceof Element && event.target.closest(".fold") !== null && fields[id].children.length > 0)
          fold(id, !folded.has(id))
        else if (
          event.target instanceof Element &&
          event.target.closest(".value") !== null &&
          id === bench.selected.value
        )
          edit(id)
        else go(id)
      }}
      onDblClick={(event) => {
        const id = fieldOf(event.target)
        if (id !== undefined) edit(id)
      }}
    >
      {shown.map((field) => {
        const siblings = field.parent < 0 ? [0] : fields[field.parent].children
        return (
          <TreeItem
            key={field.id}
            bench={bench}
            field={field}
            place={siblings.indexOf(field.id) + 1}
            of={siblings.length}
          />
        )
      })}
    </div>
  )
}
