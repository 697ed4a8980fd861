//! The agent for React 3.4.0 on a page in jsdom.

use axum::http::Method;

use crate::errors::Agent;
use crate::program::node;
use crate::sent::sent_transactions;
use crate::shop::EmptyShop;

const ORIGIN: &str = "https://shop.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_allowed_origin_is_shown_as_it_was_sent() {
    let shop = EmptyShop::start().await;
    shop.opbeat.run(&["app", "origins", "acme/shop", "--add", ORIGIN]);
    let endpoint = "client-side/transactions";
    let shop = shop.after_transactions(node("browser", &["page.js"]), endpoint, 0).await;
    shop.recorder.assert_all_accepted();
    let exchanges = shop.recorder.exchanges();
    for exchange in &exchanges {
        assert_eq!(exchange.header("origin"), ORIGIN);
        assert_eq!(exchange.header("authorization"), "", "a page has no token");
        let allowed = exchange.answer_headers.get("access-control-allow-origin").unwrap();
        assert_eq!(allowed, ORIGIN, "jsdom checks this header, as browsers do");
        if exchange.method == Method::POST {
            assert_eq!(exchange.header("x-opbeat-client"), "opbeat-react/v3.4.0");
        }
    }
    assert!(exchanges.iter().any(|exchange| exchange.method == Method::OPTIONS), "jsdom sends preflights");
    let bodies = shop.recorder.bodies(endpoint);
    shop.assert_transactions(&sent_transactions(&bodies)).await;
    shop.assert_sampled(&bodies).await;
    shop.assert_errors(Agent::Browser, "client-side/errors").await;
}
