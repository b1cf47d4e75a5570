"""WebSub: feeds that a hub pushes, beside polling, which stays the safety net. Source: W3C Recommendation, 2018."""
