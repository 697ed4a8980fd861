//! The Node agent 4.17.0 with Express 4.

use crate::errors::Agent;
use crate::program::node;
use crate::sent::sent_transactions;
use crate::shop::EmptyShop;

#[tokio::test(flavor = "multi_thread")]
async fn an_express_application_is_shown_as_it_was_sent() {
    let program = node("node-express", &["app.js"]);
    let shop = EmptyShop::start().await.after_transactions(program, "transactions", 1).await;
    shop.recorder.assert_all_accepted();
    for exchange in shop.recorder.exchanges() {
        assert_eq!(exchange.header("user-agent"), "opbeat-nodejs/4.17.0 opbeat-http-client/1.2.2");
        assert!(exchange.header("x-opbeat-platform").contains("framework=express/4.22.3"), "{exchange:?}");
    }
    let bodies = shop.recorder.bodies("transactions");
    shop.assert_transactions(&sent_transactions(&bodies)).await;
    shop.assert_sampled(&bodies).await;
    shop.assert_errors(Agent::Node, "errors").await;
}
