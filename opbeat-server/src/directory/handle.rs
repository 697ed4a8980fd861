//! The directory, as intake and OTLP ask it.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

use super::contents::Source;
use super::known::Known;
use super::refresh::{Reads, Requests, start};
use super::snapshot::Snapshot;
use super::unknown::Unknown;
use crate::intake::{
    AppLimits, BrowserApp, DirectoryUnavailable, LimitDirectory, OriginDirectory, TokenDirectory, TokenOwner,
};
use crate::store::UnknownServices;

/// The known tokens, origins and settings. Clones share them.
#[derive(Clone)]
pub(crate) struct StoreDirectory {
    reads: Arc<Reads>,
    requests: Requests,
    unknown: Arc<Mutex<Unknown>>,
}

/// The values are omitted: there may be thousands of them.
impl fmt::Debug for StoreDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreDirectory").finish_non_exhaustive()
    }
}

impl StoreDirectory {
    /// Makes a directory with the values of the snapshot, and reads the source in the background while the directory is
    /// in use.
    ///
    /// Waits for the first read, but no longer than requests do: a token that was revoked in the meantime is unknown at
    /// once, and a database that does not answer does not delay the start.
    pub(crate) async fn open(source: impl Source, snapshot: PathBuf) -> Self {
        let (reads, requests) = start(source, Snapshot::new(snapshot));
        let directory = Self { reads, requests, unknown: Arc::new(Mutex::new(Unknown::new())) };
        // An error means that the values of the snapshot apply until the source answers.
        let _ = directory.requests.next_read(&directory.reads).await;
        directory
    }

    /// Returns an organization's treatment of unknown services. While the source does not answer, the last known one
    /// applies.
    pub(crate) async fn unknown_services(
        &self,
        organization_id: &str,
    ) -> Result<UnknownServices, DirectoryUnavailable> {
        let known = |known: &Known| known.unknown_services(organization_id);
        // Services may be refused by a setting that was changed a moment ago.
        let allowing = |values: &Known| known(values).filter(|setting| *setting != UnknownServices::Refuse);
        let question = Sha256::new().chain_update("services of ").chain_update(organization_id).finalize().into();
        match self.find(allowing, Some(question)).await {
            Ok(Some(setting)) => Ok(setting),
            Ok(None) => Ok(UnknownServices::Refuse),
            Err(DirectoryUnavailable) => known(&self.reads.known()).ok_or(DirectoryUnavailable),
        }
    }

    /// Returns the id of an organization's app, if it existed at the last read.
    pub(crate) fn app(&self, organization_id: &str, name: &str) -> Option<String> {
        self.reads.known().app(organization_id, name)
    }

    /// Returns whether the source did not answer a moment ago.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.reads.failed_recently()
    }

    /// Looks a value up. If it is unknown, looks once more after the next read.
    ///
    /// `question` is the hash under which the value counts as unknown for a while, if it may.
    async fn find<T>(
        &self,
        look_up: impl Fn(&Known) -> Option<T>,
        question: Option<[u8; 32]>,
    ) -> Result<Option<T>, DirectoryUnavailable> {
        if let Some(found) = look_up(&self.reads.known()) {
            return Ok(Some(found));
        }
        let unknown = || self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        if question.is_some_and(|question| unknown().contains(&question)) {
            return Ok(None);
        }
        self.requests.next_read(&self.reads).await?;
        let found = look_up(&self.reads.known());
        if let Some(question) = question.filter(|_| found.is_none()) {
            unknown().insert(question);
        }
        Ok(found)
    }
}

impl TokenDirectory for StoreDirectory {
    fn find<'a>(&'a self, hash: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<TokenOwner>, DirectoryUnavailable>> {
        Box::pin(self.find(|known| known.token(hash), Some(*hash)))
    }

    fn has_app(&self, organization_id: &str, app_id: &str) -> bool {
        self.reads.known().has_app(organization_id, app_id)
    }
}

impl LimitDirectory for StoreDirectory {
    fn limits_of(&self, app_id: &str) -> AppLimits {
        self.reads.known().limits(app_id)
    }
}

impl OriginDirectory for StoreDirectory {
    /// Origins never count as unknown for a while, so that a new one works at once. Anybody can ask for unknown ones, but
    /// reads are limited to a rate.
    fn find_allowed<'a>(
        &'a self,
        organization: &'a str,
        app: &'a str,
        origin: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<BrowserApp>>, DirectoryUnavailable>> {
        let names = (organization.to_owned(), app.to_owned());
        Box::pin(self.find(move |known| known.browser_app(&names, origin), None))
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use futures_util::future::join_all;
    use tempfile::TempDir;
    use tokio::time::Instant;

    use super::*;
    use crate::directory::contents::Contents;
    use crate::intake::hash_token;
    use crate::store::{NewApp, Setting, Store};

    /// A source with values that a test sets, and a count of its reads.
    #[derive(Clone, Default)]
    struct Double(Arc<State>);

    #[derive(Default)]
    struct State {
        answer: Mutex<Answer>,
        reads: AtomicUsize,
    }

    #[derive(Default)]
    enum Answer {
        Contents(Contents),
        #[default]
        Error,
        /// It does not answer.
        Nothing,
    }

    impl Double {
        fn with_tokens(tokens: &[&str]) -> Self {
            let double = Self::default();
            double.set_tokens(tokens);
            double
        }

        fn set(&self, answer: Answer) {
            *self.0.answer.lock().unwrap() = answer;
        }

        fn set_tokens(&self, tokens: &[&str]) {
            let tokens = tokens.iter().map(|token| owner(token)).collect();
            self.set(Answer::Contents(Contents { tokens, ..Contents::default() }));
        }

        fn reads(&self) -> usize {
            self.0.reads.load(Ordering::SeqCst)
        }
    }

    impl Source for Double {
        fn read(&self) -> BoxFuture<'_, Result<Contents, Box<dyn Error + Send + Sync>>> {
            Box::pin(async {
                self.0.reads.fetch_add(1, Ordering::SeqCst);
                let answer = match &*self.0.answer.lock().unwrap() {
                    Answer::Contents(contents) => Some(Ok(contents.clone())),
                    Answer::Error => Some(Err("the database is away".into())),
                    Answer::Nothing => None,
                };
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            })
        }
    }

    fn owner(token: &str) -> TokenOwner {
        let [organization_id, organization, app_id, app] = ["0a", "acme", "0b", "shop"].map(str::to_owned);
        TokenOwner { token_hash: hash_token(token), organization_id, organization, app_id, app }
    }

    async fn open(double: &Double) -> (TempDir, StoreDirectory) {
        let folder = tempfile::tempdir().unwrap();
        let directory = StoreDirectory::open(double.clone(), folder.path().join("directory.json")).await;
        (folder, directory)
    }

    /// Looks a token up, and returns whether it is known.
    async fn is_known(directory: &StoreDirectory, token: &str) -> Result<bool, DirectoryUnavailable> {
        Ok(TokenDirectory::find(directory, &hash_token(token)).await?.is_some())
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_unknown_tokens_costs_two_reads_in_a_second() {
        let double = Double::with_tokens(&["known"]);
        let (_folder, directory) = open(&double).await;
        let started = Instant::now();
        for round in 0..40 {
            let tokens: Vec<_> = (0..500).map(|number| format!("{round} {number}")).collect();
            let answers = join_all(tokens.iter().map(|token| is_known(&directory, token))).await;
            assert!(answers.iter().all(|answer| *answer == Ok(false)), "{answers:?}");
            assert_eq!(is_known(&directory, "known").await, Ok(true));
        }
        let seconds = started.elapsed().as_secs_f64();
        assert!((15.0..18.0).contains(&seconds), "each group waits for its read, after a burst: {seconds}");
        // The first read, and one for each group, unless it shared the periodic one.
        assert!(double.reads() <= 1 + 40, "{}", double.reads());

        let before = double.reads();
        for _ in 0..10_000 {
            assert_eq!(is_known(&directory, "again").await, Ok(false));
        }
        assert!(double.reads() <= before + 1, "one token is not looked up again");
    }

    #[tokio::test(start_paused = true)]
    async fn new_tokens_work_at_once_and_revoked_ones_end_within_five_seconds() {
        let double = Double::with_tokens(&["first"]);
        let (_folder, directory) = open(&double).await;
        for token in ["second", "third", "fourth"] {
            let started = Instant::now();
            double.set_tokens(&["first", token]);
            assert_eq!(is_known(&directory, token).await, Ok(true));
            assert_eq!(started.elapsed(), Duration::ZERO);
        }
        assert_eq!(is_known(&directory, "later").await, Ok(false));
        double.set_tokens(&["later"]);
        let started = Instant::now();
        for (token, answer) in [("later", true), ("first", false)] {
            while is_known(&directory, token).await != Ok(answer) {
                assert!(started.elapsed() < Duration::from_secs(5), "{token}");
                tokio::time::advance(Duration::from_millis(100)).await;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn no_request_waits_for_a_database_that_fails_or_does_not_answer() {
        let double = Double::with_tokens(&["known"]);
        let (folder, directory) = open(&double).await;
        let started = Instant::now();
        double.set(Answer::Error);
        for _ in 0..100 {
            assert_eq!(is_known(&directory, "unknown").await, Err(DirectoryUnavailable));
            assert_eq!(is_known(&directory, "known").await, Ok(true));
        }
        assert_eq!(started.elapsed(), Duration::ZERO);
        double.set(Answer::Nothing);
        tokio::time::advance(Duration::from_secs(3)).await;
        let started = Instant::now();
        assert_eq!(is_known(&directory, "unknown").await, Err(DirectoryUnavailable));
        assert!(started.elapsed() <= Duration::from_millis(1_001), "{:?}", started.elapsed());
        assert_eq!(is_known(&directory, "known").await, Ok(true));

        let started = Instant::now();
        let directory = StoreDirectory::open(double.clone(), folder.path().join("directory.json")).await;
        assert!(started.elapsed() <= Duration::from_millis(1_001), "a start waits as long as a request");
        assert_eq!(is_known(&directory, "known").await, Ok(true), "by the snapshot");
        assert_eq!(is_known(&directory, "unknown").await, Err(DirectoryUnavailable));
    }

    #[tokio::test(start_paused = true)]
    async fn reads_end_with_the_directory() {
        let double = Double::with_tokens(&[]);
        let (_folder, directory) = open(&double).await;
        assert_eq!(Arc::strong_count(&double.0), 2);
        drop(directory);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(Arc::strong_count(&double.0), 1);
    }

    #[tokio::test]
    async fn known_values_work_without_the_database_and_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("opbeat.sqlite")).await;
        let new = NewApp { organization: "acme".to_owned(), app: "shop".to_owned(), ..NewApp::default() };
        let app = store.create_app(&new, &hash_token("token"), 0).await.unwrap();
        let origin = "https://shop.example".parse().unwrap();
        store.change_origins(("acme", "shop"), &[origin], &[], 0).await.unwrap();
        store.set_unknown_services("acme", UnknownServices::Create).await.unwrap();
        store.change_settings(("acme", "shop"), &[(Setting::QuotaEvents, Some(7))]).await.unwrap();
        let snapshot = folder.path().join("directory.json");
        let directory = StoreDirectory::open(store.clone(), snapshot.clone()).await;
        crate::directory::until_saved(&snapshot).await;
        store.close().await;
        for directory in [directory, StoreDirectory::open(store, snapshot).await] {
            assert_eq!(is_known(&directory, "token").await, Ok(true));
            assert_eq!(is_known(&directory, "other").await, Err(DirectoryUnavailable));
            let names = [("acme", "shop"), (&*app.organization_id, &*app.app_id), ("acme", &app.app_id)];
            for (organization, name) in names {
                let found = directory.find_allowed(organization, name, "https://shop.example").await.unwrap();
                assert_eq!(found.unwrap().app_id, app.app_id);
            }
            let unknown = directory.find_allowed("acme", "shop", "https://other.example").await;
            assert_eq!(unknown.err(), Some(DirectoryUnavailable));
            assert_eq!(directory.unknown_services(&app.organization_id).await, Ok(UnknownServices::Create));
            assert_eq!(directory.unknown_services("another").await, Err(DirectoryUnavailable));
            assert_eq!(directory.app(&app.organization_id, "shop"), Some(app.app_id.clone()));
            let limits = AppLimits { quota_events: Some(7), ..AppLimits::default() };
            assert_eq!(directory.limits_of(&app.app_id), limits);
            assert_eq!(directory.limits_of("another"), AppLimits::default());
        }
    }
}
