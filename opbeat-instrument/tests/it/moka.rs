//! moka's caches.

use insta::assert_snapshot;

use crate::job;

#[test]
fn operations_of_a_cache_are_spans() {
    use opbeat_instrument::moka::sync::Cache;

    let books = Cache::new(moka::sync::Cache::builder().name("books").max_capacity(10).build());
    let find = |id: u32| {
        books.get_with(id, || {
            let _query = opbeat_core::span("SELECT FROM books", "db.sqlite.query");
            format!("secret {id}")
        })
    };
    let spans = job::run(|| {
        assert_eq!(books.get(&1), None);
        assert_eq!(find(1), "secret 1");
        assert_eq!(find(1), "secret 1");
        books.insert(2, "Dune".to_owned());
        {
            let _page = opbeat_core::span("page", "app");
            assert_eq!(books.get(&2).as_deref(), Some("Dune"));
        }
        assert_eq!(books.remove(&2).as_deref(), Some("Dune"));
        assert_eq!(books.optionally_get_with(3, || None), None);
        let failed = books.try_get_with(3, || Err("no connection"));
        assert_eq!(*failed.unwrap_err(), "no connection");
    });
    assert_snapshot!(spans, @"
    cache.moka get books · hit=false
    cache.moka get_with books · hit=false
      db.sqlite.query SELECT FROM books
    cache.moka get_with books · hit=true
    cache.moka insert books
    app page
      cache.moka get books · hit=true
    cache.moka remove books · hit=true
    cache.moka get_with books · hit=false
    cache.moka get_with books · hit=false
    ");
    assert_eq!(find(1), "secret 1", "the cache works outside of transactions");
}

#[tokio::test]
async fn operations_of_an_asynchronous_cache_are_spans() {
    use opbeat_instrument::moka::future::Cache;

    let books = Cache::new(moka::future::Cache::new(10));
    let find = |id: u32| {
        books.get_with(id, async move {
            let query = opbeat_core::in_span("SELECT FROM books", "db.sqlite.query", tokio::task::yield_now());
            query.await;
            format!("secret {id}")
        })
    };
    let spans = job::drive(async {
        assert_eq!(books.get(&1).await, None);
        assert_eq!(find(1).await, "secret 1");
        assert_eq!(find(1).await, "secret 1");
        books.insert(2, "Dune".to_owned()).await;
        assert_eq!(books.remove(&2).await.as_deref(), Some("Dune"));
        assert_eq!(books.optionally_get_with(3, async { None }).await, None);
        let failed = books.try_get_with(3, async { Err("no connection") }).await;
        assert_eq!(*failed.unwrap_err(), "no connection");
    })
    .await;
    assert_snapshot!(spans, @"
    cache.moka get · hit=false
    cache.moka get_with · hit=false
      db.sqlite.query SELECT FROM books
    cache.moka get_with · hit=true
    cache.moka insert
    cache.moka remove · hit=true
    cache.moka get_with · hit=false
    cache.moka get_with · hit=false
    ");
    assert_eq!(find(1).await, "secret 1", "the cache works outside of transactions");
}
