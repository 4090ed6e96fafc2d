import type { ComponentChildren } from "preact"
import { useRef } from "preact/hooks"

interface TabsProps<T extends string> {
  readonly label: string
  readonly names: readonly T[]
  readonly chosen: T
  readonly onChoose: (name: T) => void
  readonly children: ComponentChildren
}

const idOf = (name: string): string => name.toLowerCase().replaceAll(" ", "-")

/** One of several views, chosen by click or by arrow keys. */
export const Tabs = <T extends string>({ label, names, chosen, onChoose, children }: TabsProps<T>) => {
  const list = useRef<HTMLDivElement>(null)
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (step === undefined) return
    // The session is not to step as well.
    event.preventDefault()
    const next = names[(names.indexOf(chosen) + step + names.length) % names.length]
    onChoose(next)
    list.current?.querySelector<HTMLElement>(`#rv-tab-${idOf(next)}`)?.focus()
  }
  return (
    <>
      <div ref={list} class="rv-tabs" role="tablist" aria-label={label}>
        {names.map((name) => (
          <button
            key={name}
            id={`rv-tab-${idOf(name)}`}
            type="button"
            role="tab"
            aria-selected={name === chosen}
            aria-controls="rv-tab-panel"
            tabIndex={name === chosen ? 0 : -1}
            onClick={() => onChoose(name)}
            onKeyDown={move}
          >
            {name}
          </button>
        ))}
      </div>
      <div id="rv-tab-panel" role="tabpanel" aria-labelledby={`rv-tab-${idOf(chosen)}`}>
        {children}
      </div>
    </>
  )
}
