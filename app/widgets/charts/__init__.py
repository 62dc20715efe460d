"""What a chart is made of: a canvas that paints and takes gestures, and its axes. What is drawn, pages say."""
