//! Clones of remote repositories, over HTTP on this machine.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use opbeat_repository::{Access, BlameMode, Blamed, Budget, Clones, Error, People, Remote};

use crate::support::{Repo, budget};

const INWARDS: Access = Access { private_addresses: true, local_paths: false };

/// Answers each connection with `answer`, until the test ends.
fn serve(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || answer(stream));
        }
    });
    address
}

struct Request {
    method: String,
    target: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

fn read_request(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length") {
        body.resize(length.parse().ok()?, 0);
        reader.read_exact(&mut body).ok()?;
    } else if headers.contains_key("transfer-encoding") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            body.extend_from_slice(&chunk[..size]);
            if size == 0 {
                break;
            }
        }
    }
    Some(Request { method, target, headers, body })
}

/// Serves the repositories in a folder with `git http-backend`.
fn git_server(folder: PathBuf) -> SocketAddr {
    serve(move |mut stream| {
        let Some(request) = read_request(&stream) else { return };
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
        let mut child = Command::new("git")
            .arg("http-backend")
            .env("GIT_PROJECT_ROOT", &folder)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("PATH_INFO", path)
            .env("QUERY_STRING", query)
            .env("REQUEST_METHOD", &request.method)
            .env("CONTENT_TYPE", header("content-type"))
            .env("CONTENT_LENGTH", request.body.len().to_string())
            .env("GIT_PROTOCOL", header("git-protocol"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("these tests run the command git: install git and put it on the path");
        let mut input = child.stdin.take().expect("a pipe");
        let _ = input.write_all(&request.body);
        drop(input);
        let mut output = Vec::new();
        child.stdout.take().expect("a pipe").read_to_end(&mut output).expect("an answer");
        child.wait().expect("git ends");
        let end = output.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("headers");
        let headers = String::from_utf8_lossy(&output[..end]).into_owned();
        let status = headers.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        let body = &output[end + 4..];
        let _ = write!(
            stream,
            "HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        let _ = stream.write_all(body);
    })
}

fn fixed_server(answer: &'static str) -> SocketAddr {
    serve(move |mut stream| {
        let _ = read_request(&stream);
        let _ = stream.write_all(answer.as_bytes());
    })
}

fn clones(folder: &Path) -> Clones {
    Clones::new(&folder.join("clones"), INWARDS)
}

#[test]
fn a_clone_is_made_fetched_and_repaired() {
    let repo = Repo::new();
    repo.write("a.rs", "one();\ntwo();\n");
    repo.commit("Ana", "first");
    repo.git(&["tag", "v1"]);
    let folder = tempfile::tempdir().expect("a folder");
    let bare = repo.bare_copy(folder.path(), "shop.git");
    let address = git_server(folder.path().to_owned());
    let clones = clones(folder.path());
    let remote = Remote::new(&format!("http://{address}/shop.git"));
    assert!(matches!(clones.open(&remote), Err(Error::NotFetched { .. })));

    let fetched = clones.fetch(&remote, &budget()).expect("a clone");
    assert!(fetched.cloned && fetched.bytes > 100, "{fetched:?}");
    let clone = clones.open(&remote).expect("a clone");
    assert_eq!(clone.resolve("v1").expect("the tag"), repo.head());

    repo.replace("a.rs", "two", "three");
    let second = repo.commit("Bo", "second");
    repo.git(&["push", "--quiet", bare.to_str().expect("UTF-8"), "main"]);
    let fetched = clones.fetch(&remote, &budget()).expect("a fetch");
    assert!(!fetched.cloned, "{fetched:?}");
    assert_eq!(clone.resolve("main").expect("the branch"), second, "an open clone sees the fetch");
    let blamed = clone.blame("main", "a.rs", 2, BlameMode::LastChange, &budget()).expect("a blame");
    assert!(matches!(blamed, Blamed::Changed(found) if found.author.name == "Bo"));

    // Forced branches are followed.
    repo.git(&["reset", "--quiet", "--hard", "v1"]);
    let other = repo.commit("Cleo", "instead");
    repo.git(&["push", "--quiet", "--force", bare.to_str().expect("UTF-8"), "main"]);
    clones.fetch(&remote, &budget()).expect("a fetch");
    assert_eq!(clone.resolve("main").expect("the branch"), other);

    let kept = fs::read_dir(folder.path().join("clones")).expect("clones").flatten();
    let path =
        kept.map(|entry| entry.path()).find(|path| path.extension().is_some_and(|e| e == "git")).expect("a clone");
    fs::remove_file(path.join("HEAD")).expect("a file");
    let fetched = clones.fetch(&remote, &budget()).expect("a clone");
    assert!(fetched.cloned);
    clones.open(&remote).expect("a clone").commits(None, "main", &People::new(), &budget()).expect("commits");

    // Another address in the same folder takes the place of the clone.
    repo.bare_copy(folder.path(), "other.git");
    let other = Remote::new(&format!("http://{address}/other.git"));
    clones.fetch(&other, &budget()).expect("a clone");
    clones.open(&remote).expect("a clone");
    clones.remove_others(&other).expect("removed");
    assert!(matches!(clones.open(&remote), Err(Error::NotFetched { .. })));
    assert_eq!(fs::read_dir(folder.path().join("clones")).expect("clones").count(), 2, "the clone and its lock");

    clones.remove(&other).expect("removed");
    assert!(matches!(clones.open(&other), Err(Error::NotFetched { .. })));
}

#[test]
fn the_leftovers_of_a_killed_fetch_are_removed() {
    let repo = Repo::new();
    repo.write("a.rs", "one();\n");
    repo.commit("Ana", "first");
    let folder = tempfile::tempdir().expect("a folder");
    let bare = repo.bare_copy(folder.path(), "shop.git");
    let address = git_server(folder.path().to_owned());
    let clones = clones(folder.path());
    let remote = Remote::new(&format!("http://{address}/shop.git"));
    clones.fetch(&remote, &budget()).expect("a clone");
    let clone = fs::read_dir(folder.path().join("clones")).expect("clones").flatten().map(|entry| entry.path());
    let clone = clone.into_iter().find(|path| path.is_dir()).expect("a clone");
    let leftovers = [
        "shallow.lock",
        "packed-refs.lock",
        "HEAD.lock",
        "config.lock",
        "refs/heads/main.lock",
        "refs/heads/feature/new.lock",
        "refs/tags/v1.lock",
        "objects/pack/.tmpAbC123",
        "objects/pack/tmp_pack_aBc123",
        "objects/pack/pack-0123456789012345678901234567890123456789.pack",
        "objects/.tmpDeF456",
        ".tmpGhI789",
    ]
    .map(|name| clone.join(name));
    for path in &leftovers {
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, "killed").expect("a file");
    }
    repo.replace("a.rs", "one", "two");
    let second = repo.commit("Bo", "second");
    repo.git(&["tag", "v1"]);
    repo.git(&["push", "--quiet", bare.to_str().expect("UTF-8"), "main", "main:feature/new", "v1"]);
    let fetched = clones.fetch(&remote, &budget()).expect("a fetch");
    assert!(!fetched.cloned, "{fetched:?}");
    assert_eq!(leftovers.iter().find(|path| path.exists()), None);
    let clone = clones.open(&remote).expect("a clone");
    for revision in ["main", "feature/new", "v1"] {
        assert_eq!(clone.resolve(revision).expect("a revision"), second);
    }
}

#[test]
fn an_empty_remote_is_fetched_until_it_has_commits() {
    let folder = tempfile::tempdir().expect("a folder");
    let repo = Repo::new();
    let bare = repo.bare_copy(folder.path(), "shop.git");
    let address = git_server(folder.path().to_owned());
    let clones = clones(folder.path());
    let remote = Remote::new(&format!("http://{address}/shop.git"));
    for _ in 0..2 {
        let fetched = clones.fetch(&remote, &budget());
        assert!(fetched.is_ok(), "{fetched:?}");
    }
    let error = clones.open(&remote).expect("a clone").resolve("main").expect_err("no branch");
    assert!(matches!(error, Error::UnknownRevision { .. }), "{error}");
    let head = repo.commit("Ana", "first");
    repo.git(&["push", "--quiet", bare.to_str().expect("UTF-8"), "main"]);
    clones.fetch(&remote, &budget()).expect("a fetch");
    assert_eq!(clones.open(&remote).expect("a clone").resolve("main").expect("the branch"), head);
}

#[test]
fn too_large_a_repository_leaves_nothing() {
    let repo = Repo::new();
    let mut random = crate::support::Random(3);
    let noise: Vec<u8> = (0..300_000).map(|_| b'a' + u8::try_from(random.below(26)).expect("small")).collect();
    repo.write("a.rs", noise);
    repo.commit("Ana", "first");
    let folder = tempfile::tempdir().expect("a folder");
    repo.bare_copy(folder.path(), "shop.git");
    let address = git_server(folder.path().to_owned());
    let clones = clones(folder.path()).with_clone_bytes(50_000);
    let remote = Remote::new(&format!("http://{address}/shop.git"));
    let error = clones.fetch(&remote, &budget()).expect_err("too large");
    assert!(matches!(error, Error::TooLarge { limit: 50_000, .. }), "{error}");
    assert!(matches!(clones.open(&remote), Err(Error::NotFetched { .. })));
    let left: Vec<_> =
        fs::read_dir(folder.path().join("clones")).expect("clones").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left.len(), 1, "only the lock: {left:?}");
}

#[test]
fn unreachable_and_strange_remotes_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    let clones = clones(folder.path());
    let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let page = fixed_server(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
    );
    let missing = fixed_server("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let garbage = fixed_server("\x16\x03\x01 what\r\n\r\n");
    for address in [closed, page, missing, garbage] {
        let remote = Remote::new(&format!("http://{address}/shop.git"));
        let error = clones.fetch(&remote, &budget()).expect_err("no repository");
        assert!(matches!(&error, Error::Unreachable { detail, .. } if !detail.is_empty()), "{error:?}");
        println!("{error}");
    }
    let locked = fixed_server(
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let error = clones.fetch(&Remote::new(&format!("http://{locked}/shop.git")), &budget()).expect_err("no access");
    assert!(matches!(error, Error::AuthenticationRequired { .. }), "{error}");
}

#[test]
fn a_silent_remote_ends_with_the_budget() {
    let folder = tempfile::tempdir().expect("a folder");
    let clones = clones(folder.path());
    let silent = serve(|mut stream| {
        // Reads until the client gives up, and never answers.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let remote = Remote::new(&format!("http://{silent}/shop.git"));
    let time = Duration::from_millis(500);
    let started = Instant::now();
    let error = clones.fetch(&remote, &Budget::new(time)).expect_err("no answer");
    println!("a budget of 500 ms ended after {} ms", started.elapsed().as_millis());
    assert!(matches!(error, Error::TimedOut { after } if after == time), "{error}");
    assert!(started.elapsed() < Duration::from_secs(20));

    // A remote that answers without end does not extend the budget.
    let endless = serve(|mut stream| {
        let _ = read_request(&stream);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nConnection: close\r\n\r\n001e# service=git-upload-pack\n0000";
        let _ = stream.write_all(head.as_bytes());
        let reference = format!("{} refs/heads/x\n", "a".repeat(40));
        let line = format!("{:04x}{reference}", reference.len() + 4);
        while stream.write_all(line.as_bytes()).is_ok() {}
    });
    let remote = Remote::new(&format!("http://{endless}/shop.git"));
    let error = clones.fetch(&remote, &Budget::new(time)).expect_err("no repository");
    assert!(matches!(error, Error::TimedOut { .. } | Error::Unreachable { .. }), "{error}");
}

#[test]
fn redirects_are_not_followed() {
    let reached = Arc::new(AtomicBool::new(false));
    let inside = {
        let reached = Arc::clone(&reached);
        serve(move |_| reached.store(true, Ordering::Relaxed))
    };
    let redirect = serve(move |mut stream| {
        let Some(request) = read_request(&stream) else { return };
        let answer = format!(
            "HTTP/1.1 302 Found\r\nLocation: http://{inside}{}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            request.target
        );
        let _ = stream.write_all(answer.as_bytes());
    });
    let folder = tempfile::tempdir().expect("a folder");
    let remote = Remote::new(&format!("http://{redirect}/shop.git"));
    let error = clones(folder.path()).fetch(&remote, &budget()).expect_err("a redirect");
    assert!(matches!(error, Error::Redirected { .. }), "{error}");
    assert!(!reached.load(Ordering::Relaxed));
}

#[test]
fn private_addresses_and_local_paths_need_permission() {
    let reached = Arc::new(AtomicBool::new(false));
    let inside = {
        let reached = Arc::clone(&reached);
        serve(move |_| reached.store(true, Ordering::Relaxed))
    };
    let folder = tempfile::tempdir().expect("a folder");
    let strict = Clones::new(&folder.path().join("clones"), Access::default());
    let port = inside.port();
    for host in [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "[fe80::1]",
        "[fd00::1]",
        "[2002:7f00:1::]",
        "224.0.0.1",
    ] {
        let remote = Remote::new(&format!("http://{host}:{port}/shop.git"));
        let error = strict.fetch(&remote, &Budget::new(Duration::from_secs(30))).expect_err("a private address");
        assert!(matches!(error, Error::PrivateAddress { .. }), "{host}: {error}");
    }
    assert!(!reached.load(Ordering::Relaxed));
    for url in [
        "/etc",
        "file:///etc",
        "ssh://git@example.org/shop.git",
        "git@example.org:shop.git",
        "git://example.org/shop",
        "ext::sh -c touch% /tmp/x",
        "ftp://example.org/x",
        "relative/path",
        "",
        "--upload-pack=x",
    ] {
        let error = strict.fetch(&Remote::new(url), &budget()).expect_err("not allowed");
        assert!(matches!(error, Error::UnsupportedUrl { .. }), "{url}: {error}");
    }
}

#[test]
fn a_local_repository_is_read_where_it_is() {
    let repo = Repo::new();
    let head = repo.commit("Ana", "first");
    let folder = tempfile::tempdir().expect("a folder");
    let access = Access { local_paths: true, ..Access::default() };
    let clones = Clones::new(&folder.path().join("clones"), access);
    let remote = Remote::new(repo.path().to_str().expect("UTF-8"));
    assert!(!clones.fetch(&remote, &budget()).expect("nothing to fetch").cloned);
    assert_eq!(clones.open(&remote).expect("a repository").resolve("main").expect("the branch"), head);
    assert!(!folder.path().join("clones").exists());
}

#[test]
fn two_fetches_of_one_repository_exclude_each_other() {
    let started = Arc::new(AtomicBool::new(false));
    let silent = {
        let started = Arc::clone(&started);
        serve(move |mut stream| {
            started.store(true, Ordering::Release);
            let _ = stream.read_to_end(&mut Vec::new());
        })
    };
    let folder = tempfile::tempdir().expect("a folder");
    let clones = clones(folder.path());
    let remote = Remote::new(&format!("http://{silent}/shop.git"));
    std::thread::scope(|scope| {
        let first = scope.spawn(|| clones.fetch(&remote, &Budget::new(Duration::from_secs(5))));
        while !started.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let error = clones.fetch(&remote, &budget()).expect_err("locked");
        assert!(matches!(error, Error::Busy { .. }), "{error}");
        first.join().expect("no panic").expect_err("no answer");
    });
}

#[test]
fn credentials_are_not_shown() {
    let remote = Remote::new("https://ana:s3cret@example.org/shop.git");
    assert_eq!(remote.url(), "https://example.org/shop.git");
    assert!(!format!("{remote:?}").contains("s3cret"));
    let remote = Remote::new("https://t0ken@example.org/shop.git");
    assert!(!format!("{remote:?}").contains("t0ken"));
    let folder = tempfile::tempdir().expect("a folder");
    for url in [
        "ssh://ana:s3cret@example.org/shop.git",
        "ftp://s3cret@example.org/shop.git",
        "ana:s3cret@example.org:shop.git",
        "https://ana:s3cret@example.org:99999999/shop.git",
        "https://ana:s3cret@/shop.git",
    ] {
        let remote = Remote::new(url);
        let error = clones(folder.path()).fetch(&remote, &budget()).expect_err("not allowed");
        assert!(matches!(error, Error::UnsupportedUrl { .. }), "{error}");
        assert!(!format!("{remote:?} {error} {error:?}").contains("s3cret"), "{error}");
    }
}
