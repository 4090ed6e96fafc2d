import type { Workbench } from "./workbench.ts"

/** The field that an element, or one around it, stands for. */
export const fieldOf = (target: EventTarget | null): number | undefined => {
  const element = target instanceof Element ? target.closest("[data-field]") : null
  return element instanceof HTMLElement ? Number(element.dataset.field) : undefined
}

/** Marks the field under the pointer for as long as it is there: for an element around others that stand for fields. */
export const hoverHandlers = (bench: Workbench, fieldAt: (event: MouseEvent) => number | undefined) => ({
  onMouseMove: (event: MouseEvent): void => {
    bench.hovered.value = fieldAt(event)
  },
  onMouseLeave: (): void => {
    bench.hovered.value = undefined
  },
})
