// Drives a headless Chromium: each line of the standard input is a command in JSON, and its answer is a line of the output.
//
// Pages run without JavaScript, and are used by keyboard. Only an audit switches JavaScript on, for axe.
'use strict'

const readline = require('readline')
const puppeteer = require('puppeteer-core')
const { audit } = require('./audit.js')

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync']
const PATIENCE = 60000

let browser
const visitors = new Map()

async function visitor (name) {
  if (!visitors.has(name)) {
    const context = await browser.createBrowserContext()
    const page = await context.newPage()
    page.setDefaultTimeout(PATIENCE)
    const complaints = []
    page.on('console', message => {
      // A page with a mistake or a problem has such a status.
      const isStatus = message.location().url === page.url() && /status of 40[04]/.test(message.text())
      if (!isStatus) complaints.push(`${page.url()}: the console shows: ${message.text()}`)
    })
    page.on('requestfailed', request => complaints.push(`${request.url()}: the request failed`))
    visitors.set(name, { page, complaints, loads: 0 })
    page.on('load', () => { visitors.get(name).loads += 1 })
    await page.setJavaScriptEnabled(false)
    await page.setViewport({ width: 1280, height: 800 })
  }
  return visitors.get(name)
}

// Returns the shown control with a text.
async function control (page, text) {
  const handle = await page.evaluateHandle(text => {
    const label = element => (element.getAttribute('aria-label') ?? element.innerText ?? element.textContent).trim().replace(/\s+/g, ' ')
    const all = [...document.querySelectorAll('a, button, summary')]
    return all.find(element => element.checkVisibility() && label(element) === text)
  }, text)
  const element = handle.asElement()
  if (!element) throw new Error(`${page.url()} has no link or button ${JSON.stringify(text)}: ${await shown(page)}`)
  return element
}

// Returns the field with a label.
async function field (page, text) {
  const handle = await page.evaluateHandle(text => {
    const label = [...document.querySelectorAll('label')].find(label => label.innerText.trim() === text)
    return label ? label.control : document.querySelector(`[aria-label="${text}"]`)
  }, text)
  const element = handle.asElement()
  if (!element) throw new Error(`${page.url()} has no field ${JSON.stringify(text)}: ${await shown(page)}`)
  return element
}

// Returns the text of the page. One that is loaded again meanwhile is read once more.
async function shown (page) {
  for (;;) {
    try {
      return await page.evaluate(() => document.querySelector('main').innerText.replace(/\s+/g, ' ').trim())
    } catch (error) {
      if (!/context|detached|navigat/i.test(error.message)) throw error
      await new Promise(resolve => page.once('load', resolve))
    }
  }
}

// Runs in the page: marks what the keyboard must reach, and returns its number.
function reachable () {
  document.activeElement.blur()
  const can = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]'
  window.reachable = new Set([...document.querySelectorAll(can)].filter(element => element.checkVisibility()))
  return window.reachable.size
}

// Runs in the page: returns what is wrong with the element that has the focus.
function focus (isFirst) {
  const element = document.activeElement
  window.reachable.delete(element)
  if (isFirst && !element.matches('.skip')) return 'the first element is no link to the content'
  const { outlineStyle, outlineWidth } = getComputedStyle(element)
  const isShown = outlineStyle !== 'none' && parseFloat(outlineWidth) > 0
  return isShown ? null : `the focus is not visible: ${element.outerHTML.slice(0, 200)}`
}

const commands = {
  async open ({ page }, { url }) {
    const response = await page.goto(url)
    return { status: response.status(), url: page.url() }
  },

  // Writes into a field, or chooses an option by its text.
  async fill ({ page }, { label, value }) {
    const element = await field(page, label)
    const option = await element.evaluate((element, value) => {
      return [...(element.options || [])].find(option => option.innerText.trim().startsWith(value))?.value
    }, value)
    if (option !== undefined) {
      await element.select(option)
      return
    }
    await element.focus()
    await element.evaluate(element => element.select())
    await page.keyboard.sendCharacter(value)
  },

  // Presses Enter on a link or a button, and waits for the page that it leads to.
  async press ({ page }, { text }) {
    await (await control(page, text)).focus()
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
    return { url: page.url() }
  },

  // Follows the first link that a selector finds.
  async follow ({ page }, { selector }) {
    await page.focus(selector)
    await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
  },

  async text ({ page }) {
    return shown(page)
  },

  // Returns the text of a block that is copied.
  async block ({ page }, { selector }) {
    return page.$eval(selector, element => element.textContent)
  },

  async loads (visitor) {
    return visitor.loads
  },

  // Waits until the page was loaded more often than `after` times, by itself.
  async loaded (visitor, { after }) {
    if (visitor.loads <= after) await new Promise(resolve => visitor.page.once('load', resolve))
    return visitor.loads
  },

  // Reaches all links and controls with Tab. Returns those that it does not reach, and those that do not show the focus.
  async keyboard ({ page }) {
    const count = await page.evaluate(reachable)
    const findings = []
    // Regions that scroll are reached too.
    for (let step = 0; step < 2 * count + 20 && await page.evaluate(() => window.reachable.size > 0); step++) {
      await page.keyboard.press('Tab')
      const finding = await page.evaluate(focus, step === 0)
      if (finding) findings.push(finding)
    }
    const left = await page.evaluate(() => [...window.reachable].map(element => element.outerHTML.slice(0, 200)))
    return [...findings, ...left.map(html => `Tab does not reach ${html}`)].map(text => `${page.url()}: ${text}`)
  },

  async audit (visitor, { name, screenshots }) {
    return audit(visitor.page, name, screenshots)
  },

  async complaints (visitor) {
    return visitor.complaints.splice(0)
  }
}

async function main () {
  browser = await puppeteer.launch({ executablePath: process.argv[2], headless: true, args: FLAGS })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const { command, as, ...rest } = JSON.parse(line)
    let answer
    try {
      answer = { value: await commands[command](await visitor(as), rest) ?? null }
    } catch (error) {
      answer = { error: error.stack }
    }
    process.stdout.write(JSON.stringify(answer) + '\n')
  }
  await browser.close()
}

main()
