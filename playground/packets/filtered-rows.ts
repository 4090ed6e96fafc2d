import { useSignal } from "@preact/signals"
import { useEffect, useMemo } from "preact/hooks"
import { type Capture, type Filter, filterInSteps, type Row, readFilter } from "../model/capture/index.ts"
import { inSlices } from "../shell/in-slices.ts"

interface Found {
  readonly capture: Capture | undefined
  readonly text: string
  readonly rows: readonly Row[]
}

const NONE: readonly Row[] = []

/** The rows that fit a filter's text, looked for in slices; until they are found, those of the text before. */
export const useFilteredRows = (
  capture: Capture | undefined,
  text: string,
): { readonly rows: readonly Row[]; readonly filter: Filter; readonly isLooking: boolean } => {
  const found = useSignal<Found>({ capture: undefined, text: "", rows: NONE })
  const filter = useMemo(() => readFilter(text, capture?.exchanges), [text, capture])
  const all = capture?.rows ?? NONE
  const isFiltered = filter.terms.length > 0
  useEffect(() => {
    if (!isFiltered) return
    let isWanted = true
    inSlices(filterInSteps(all, filter.test), () => isWanted).then((rows) => {
      if (rows !== undefined && isWanted) found.value = { capture, text, rows }
    })
    return () => {
      isWanted = false
    }
  }, [all, capture, filter, found, isFiltered, text])
  if (!isFiltered) return { rows: all, filter, isLooking: false }
  const { capture: known, text: before, rows } = found.value
  const isLooking = known !== capture || before !== text
  return { rows: known === capture ? rows : NONE, filter, isLooking }
}
