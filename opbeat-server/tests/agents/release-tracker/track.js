// Tracks releases with the release tracker, and prints the account of what it did.
'use strict'

const { execFileSync } = require('child_process')
const fs = require('fs')
const os = require('os')
const path = require('path')
const tracker = require('opbeat-release-tracker')

const trackRelease = tracker()

function track (options) {
  return new Promise((resolve, reject) => trackRelease(options, (error) => error ? reject(error) : resolve()))
}

/** Makes a repository with one commit, and returns its folder and the commit's id. */
function repository () {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'release-tracker-'))
  const git = (...words) => execFileSync('git', words, { cwd: folder, encoding: 'utf8' }).trim()
  git('init', '--quiet', '--initial-branch', 'main')
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.com']
  git(...author, 'commit', '--quiet', '--allow-empty', '--message', 'first')
  return { folder, commit: git('rev-parse', 'HEAD') }
}

async function main () {
  const rev = '2b9d4e07a1c35f68e0b7d2946ac81f53de70b942'
  const { folder, commit } = repository()
  await track({ rev, branch: 'main' })
  await track({ rev, branch: 'main', status: 'machine-completed', machine: 'web-1.example.com' })
  await track({ rev, branch: 'main', status: 'machine-completed', machine: 'web-2.example.com' })
  await track({ cwd: folder })
  fs.rmSync(folder, { recursive: true })
  const account = {
    releases: [
      { rev, branch: 'main', status: 'completed' },
      { rev, branch: 'main', status: 'machine-completed', machine: 'web-1.example.com' },
      { rev, branch: 'main', status: 'machine-completed', machine: 'web-2.example.com' },
      { rev: commit, branch: 'main', status: 'completed' }
    ]
  }
  console.log('account ' + JSON.stringify(account))
}

main()
