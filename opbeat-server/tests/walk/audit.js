// Audits a page: axe in light and in dark mode and on a phone, and whether everything has its place.
'use strict'

const path = require('path')
const axe = require('axe-core')

const WIDE = { width: 1280, height: 800 }
const PHONE = { width: 390, height: 844 }
const ALL = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }
const COLOURS = { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }

const LOOKS = [
  { look: 'wide', viewport: WIDE, scheme: 'light', rules: ALL },
  { look: 'dark', viewport: WIDE, scheme: 'dark', rules: COLOURS },
  { look: 'phone', viewport: PHONE, scheme: 'light', rules: ALL }
]

// Returns what is wrong with a page, and writes pictures of it into a folder, if there is one.
async function audit (page, name, screenshots) {
  const findings = []
  await page.setJavaScriptEnabled(true)
  await page.evaluate(axe.source)
  await page.evaluate(() => document.activeElement.blur())
  for (const { look, viewport, scheme, rules } of LOOKS) {
    await page.setViewport(viewport)
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
    if (screenshots) await page.screenshot({ path: path.join(screenshots, `${name}-${look}.png`), fullPage: true })
    for (const violation of await page.evaluate(violations, rules)) findings.push(`${name}, ${look}: ${violation}`)
    for (const pair of await page.evaluate(overlapping)) findings.push(`${name}, ${look}: covered by another: ${pair}`)
    for (const part of await page.evaluate(beyond)) findings.push(`${name}, ${look}: wider than the page: ${part}`)
  }
  await page.setViewport(WIDE)
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }])
  await page.setJavaScriptEnabled(false)
  return findings
}

// Runs in the page.
async function violations (runOnly) {
  const { violations } = await window.axe.run(document, { runOnly, resultTypes: ['violations'] })
  return violations.flatMap(({ id, help, nodes }) => nodes.slice(0, 3).map(({ html, any }) => {
    const reason = any[0]?.data?.contrastRatio ? ` ${any[0].data.contrastRatio}:1` : ''
    return `${id}${reason}: ${help}: ${html.slice(0, 200)}`
  }))
}

// Runs in the page: returns the controls of the header that cover each other.
function overlapping () {
  const controls = [...document.querySelectorAll('header a, header button')].filter(element => element.checkVisibility())
  const boxes = controls.map(element => [element.innerText.trim(), element.getBoundingClientRect()])
  const touch = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1
  return boxes.flatMap(([text, box], index) => {
    const covering = boxes.slice(index + 1).filter(([, other]) => touch(box, other))
    return covering.map(([other]) => `${text} by ${other}`)
  })
}

// Runs in the page: returns the elements that make it scroll to the side.
function beyond () {
  const width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= width) return []
  const all = [...document.querySelectorAll('main *, header *, footer *')]
  const wide = all.filter(element => element.getBoundingClientRect().right > width + 1)
  return wide.slice(0, 3).map(element => element.outerHTML.slice(0, 200)).concat(wide.length ? [] : ['the page'])
}

module.exports = { audit }
