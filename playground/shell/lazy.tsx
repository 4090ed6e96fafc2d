import { type Signal, signal } from "@preact/signals"
import type { ComponentType } from "preact"

/** A component whose code is fetched when it is first shown; nothing stands in its place until then. */
export const lazy = <P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> => {
  const found: Signal<ComponentType<P> | undefined> = signal(undefined)
  const asked = signal(false)
  return (props: P) => {
    if (!asked.peek()) {
      asked.value = true
      load().then((component) => {
        found.value = component
      })
    }
    const Found = found.value
    return Found === undefined ? null : <Found {...props} />
  }
}
