import { useSignal } from "@preact/signals"
import { useLayoutEffect, useRef } from "preact/hooks"
import { choicesOf, fieldText, setField } from "../model/edit/index.ts"
import type { InspectedField } from "../model/inspect/index.ts"
import { portsOf } from "../model/open/index.ts"
import type { Workbench } from "./workbench.ts"

/** A value typed over in its place: Enter takes it, Escape leaves it as it was. */
export const ValueEditor = ({ bench, field }: { readonly bench: Workbench; readonly field: InspectedField }) => {
  const { bytes } = bench.packet.value
  const ports = portsOf(bench.packet.value)
  const text = fieldText(bytes, field.id, ports)
  const fault = useSignal("")
  const input = useRef<HTMLInputElement>(null)
  const left = useRef(false)
  // At once: the next key is for it already.
  useLayoutEffect(() => {
    if (text === undefined) {
      bench.said.value = field.missing > 0 ? "it is cut: add the missing octets first" : "its parts can be edited"
      bench.editing.value = undefined
    }
    input.current?.focus()
    input.current?.select()
  }, [bench, field, text])
  if (text === undefined) return <span class="value">{field.text}</span>

  const back = (): void => {
    left.current = true
    const item = input.current?.closest("[data-field]")
    bench.editing.value = undefined
    if (item instanceof HTMLElement) item.focus()
  }
  const take = (value: string): void => {
    if (value === text) {
      back()
      return
    }
    const edited = setField(bytes, field.id, value, ports)
    if (!edited.ok) {
      fault.value = edited.text
      return
    }
    back()
    bench.edit(edited, `${field.name} is ${value}`)
  }
  const choices = choicesOf(field.node.field.kind)
  const list = `choices-${field.id}`
  return (
    <span class="editor">
      <input
        type="text"
        ref={input}
        aria-label={`New value of ${field.name}`}
        aria-invalid={fault.value !== ""}
        aria-describedby={fault.value === "" ? undefined : "edit-fault"}
        value={text}
        spellcheck={false}
        autocomplete="off"
        list={choices.length > 0 ? list : undefined}
        onKeyDown={(event) => {
          event.stopPropagation()
          if (event.key === "Enter") take(event.currentTarget.value)
          if (event.key === "Escape") back()
        }}
        onBlur={() => {
          if (!left.current) bench.editing.value = undefined
        }}
      />
      {choices.length > 0 && (
        <datalist id={list}>
          {choices.map(({ name, value }) => (
            <option key={value} value={name}>
              {value}
            </option>
          ))}
        </datalist>
      )}
      {fault.value !== "" && (
        <span id="edit-fault" class="fault" role="alert">
          {fault.value}
        </span>
      )}
    </span>
  )
}
